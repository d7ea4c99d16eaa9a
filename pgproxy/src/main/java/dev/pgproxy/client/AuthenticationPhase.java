package dev.pgproxy.client;

import dev.pgproxy.auth.AuthMethod;
import dev.pgproxy.auth.Authenticator;
import dev.pgproxy.auth.ClientCertificate;
import dev.pgproxy.auth.HbaRule;
import dev.pgproxy.auth.UserSecret;
import dev.pgproxy.net.ClientTls;
import dev.pgproxy.net.InsideChannel;
import dev.pgproxy.protocol.auth.ScramKeys;
import dev.pgproxy.protocol.backend.BackendWriter;
import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.backend.SqlState;
import dev.pgproxy.protocol.frame.FrameReader;
import dev.pgproxy.protocol.frame.FrameSink;
import dev.pgproxy.protocol.frame.FrontendType;
import dev.pgproxy.protocol.frame.ProtocolViolation;
import io.netty.buffer.ByteBuf;
import io.netty.handler.ssl.SslHandler;
import java.security.cert.X509Certificate;
import java.util.Map;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import javax.naming.InvalidNameException;
import javax.naming.ldap.LdapName;
import javax.naming.ldap.Rdn;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds out whether the client is who it says. The operator's log gets the exact cause of a refusal, the client what
 * PostgreSQL would tell it. Confined to the client's loop. Source: src/backend/libpq/auth.c.
 */
final class AuthenticationPhase implements ClientPhase, FrameSink {
    private static final Logger LOG = LoggerFactory.getLogger(AuthenticationPhase.class);

    /** Longest message before authentication, as PostgreSQL's PG_MAX_AUTH_TOKEN_LENGTH. */
    private static final int MAX_MESSAGE = 65535;

    private final ClientConnection client;
    private final ClientServices services;
    private final Map<String, String> startup;
    private final @Nullable SslHandler tls;
    private final FrameReader reader;
    private final String user;
    private final String database;
    private final Login login;
    private @Nullable PasswordExchange exchange;
    private @Nullable String map;
    private boolean barred;
    private boolean ended;

    AuthenticationPhase(
            ClientConnection client,
            ClientServices services,
            Map<String, String> startup,
            int minor,
            @Nullable SslHandler tls) {
        this.client = client;
        this.services = services;
        this.startup = startup;
        this.tls = tls;
        this.reader = new FrameReader(this, client.channel().alloc());
        this.user = startup.getOrDefault("user", "");
        String asked = startup.getOrDefault("database", "");
        this.database = asked.isEmpty() ? user : asked;
        this.login = new Login(client, services, startup, database, user, minor);
    }

    /** Nanoseconds that the login has waited for a server; 0 if it does not. */
    long waited() {
        return login.waited();
    }

    void begin() {
        if (user.isEmpty()) {
            client.end(ErrorFields.fatal(
                    SqlState.INVALID_AUTHORIZATION, "no PostgreSQL user name specified in startup packet"));
            return;
        }
        client.identify(database, user, startup.getOrDefault("application_name", ""));
        ErrorFields refusal = login.refusal();
        if (refusal != null) {
            client.end(refusal);
            return;
        }
        Authenticator authenticator = services.authenticator();
        if (client.channel() instanceof InsideChannel) { // a part of this program
            find(authenticator, AuthMethod.TRUST);
            return;
        }
        HbaRule rule =
                authenticator.rule(client.address(), tls != null, database, user, "true".equals(login.replication()));
        if (rule == null || rule.method() == AuthMethod.REJECT) {
            refuse(
                    SqlState.INVALID_AUTHORIZATION,
                    (rule == null ? "no pg_hba.conf entry for host \"" : "pg_hba.conf rejects connection for host \"")
                            + where() + "\", user \"" + user + "\", database \"" + database + "\", "
                            + (tls == null ? "no encryption" : "SSL encryption"),
                    rule == null ? "no rule of auth_hba_file matches" : "line " + rule.line() + " of auth_hba_file");
            return;
        }
        map = rule.map();
        ClientCertificate demand = rule.clientCertificate();
        if (demand != ClientCertificate.NONE && !certificateFits(demand)) {
            refuse(
                    SqlState.INVALID_AUTHORIZATION,
                    certificateFits(ClientCertificate.VERIFY_CA)
                            ? "certificate authentication failed for user \"" + user + "\""
                            : "connection requires a valid client certificate",
                    "clientcert of line " + rule.line() + " of auth_hba_file");
            return;
        }
        find(authenticator, rule.method());
    }

    private void find(Authenticator authenticator, AuthMethod method) {
        then(authenticator.find(database, user), found -> {
            barred = found instanceof UserSecret.Barred;
            UserSecret secret = found instanceof UserSecret.Barred inside ? inside.secret() : found;
            prove(method.with(secret), secret);
        });
    }

    private String where() {
        return client.address() == null ? "[local]" : client.address().getHostAddress();
    }

    private void prove(AuthMethod method, @Nullable UserSecret secret) {
        switch (method) {
            case TRUST -> succeed(secret, null);
            case CERT -> {
                if (certificateFits(ClientCertificate.VERIFY_FULL)) {
                    succeed(secret, null);
                } else {
                    refuse(
                            SqlState.INVALID_AUTHORIZATION,
                            "certificate authentication failed for user \"" + user + "\"",
                            "the certificate's common name is not the user, nor by the rule's map, or there is no certificate");
                }
            }
            case PEER ->
                then(
                        services.authenticator().offLoop(() -> PeerCredentials.names(client.channel())),
                        names -> peer(names.stream().anyMatch(this::isUser), secret));
            case REJECT -> throw new IllegalStateException("refused before");
            case PASSWORD, MD5, SCRAM -> {
                PasswordExchange begun = new PasswordExchange(this, services.authenticator(), user, secret);
                exchange = begun;
                begun.begin(method, tls == null ? null : services.tls().binding());
            }
        }
    }

    private void peer(boolean same, @Nullable UserSecret secret) {
        if (same) {
            succeed(secret, null);
        } else {
            refuse(
                    SqlState.INVALID_AUTHORIZATION,
                    "Peer authentication failed for user \"" + user + "\"",
                    "the process at the other end runs as another user, who may not be this one by the rule's map");
        }
    }

    private boolean certificateFits(ClientCertificate demand) {
        X509Certificate certificate = tls == null ? null : ClientTls.peer(tls);
        if (certificate == null) {
            return false;
        }
        if (demand != ClientCertificate.VERIFY_FULL) {
            return true;
        }
        String name = commonName(certificate);
        return name != null && isUser(name);
    }

    private boolean isUser(String name) {
        return services.authenticator().isUser(name, map, user);
    }

    private static @Nullable String commonName(X509Certificate certificate) {
        try {
            for (Rdn rdn : new LdapName(certificate.getSubjectX500Principal().getName()).getRdns()) {
                if (rdn.getType().equalsIgnoreCase("CN")) {
                    return String.valueOf(rdn.getValue());
                }
            }
        } catch (InvalidNameException e) {
            LOG.debug("certificate without a readable subject", e);
        }
        return null;
    }

    // ---- for the exchange

    io.netty.channel.Channel channel() {
        return client.channel();
    }

    /** Runs {@code action} on the loop with the result. */
    <T extends @Nullable Object> void then(CompletionStage<T> stage, Consumer<T> action) {
        if (stage.toCompletableFuture().isDone() && !stage.toCompletableFuture().isCompletedExceptionally()) {
            action.accept(stage.toCompletableFuture().getNow(null));
            return;
        }
        stage.whenComplete((result, failure) -> client.channel().eventLoop().execute(() -> {
            if (ended) {
                return;
            }
            if (failure == null) {
                action.accept(result);
            } else {
                failed(failure);
            }
        }));
    }

    private void failed(Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        if (cause instanceof Authenticator.LookUpFailure lookUp) {
            LOG.warn("{} the user could not be looked up: {}", client, lookUp.getMessage());
            client.end(ErrorFields.fatal(
                    SqlState.CONNECTION_FAILURE,
                    "the user could not be looked up",
                    "Ask the administrator to look at pgproxy's log."));
        } else {
            LOG.error("{} authentication failed unexpectedly", client, cause);
            client.end(ErrorFields.fatal(SqlState.INTERNAL_ERROR, "authentication failed"));
        }
    }

    void succeed(@Nullable UserSecret secret, @Nullable ScramKeys keys) {
        if (ended) {
            return;
        }
        if (barred) {
            services.authenticator().loginFailed(database, user);
            ByteBuf out = client.channel().alloc().buffer(9);
            BackendWriter.authenticationOk(out);
            client.channel().write(out);
            refuse(
                    SqlState.INVALID_AUTHORIZATION,
                    "role \"" + user + "\" is not permitted to log in",
                    "auth_query says so");
            return;
        }
        login.proceed(secret, keys, reader, tls != null);
    }

    void refusePassword(String reason) {
        services.authenticator().loginFailed(database, user);
        refuse(SqlState.INVALID_PASSWORD, "password authentication failed for user \"" + user + "\"", reason);
    }

    void refuse(SqlState state, String message, String reason) {
        LOG.info("{} refused: {} ({})", client, message, reason);
        client.end(ErrorFields.fatal(state, message));
    }

    // ---- events

    @Override
    public void read(ByteBuf in) {
        reader.read(in);
    }

    @Override
    public boolean streams(byte type, int length) {
        if (type != FrontendType.PASSWORD || length > MAX_MESSAGE) {
            throw new ProtocolViolation("expected password response, got message type " + (type & 0xff));
        }
        return false;
    }

    @Override
    public void frame(byte type, ByteBuf buf, int index, int length) {
        if (type == FrontendType.TERMINATE) {
            client.close("client disconnected before authentication was complete");
        } else if (type != FrontendType.PASSWORD || exchange == null || length > MAX_MESSAGE) {
            throw new ProtocolViolation("expected password response, got message type " + (type & 0xff));
        } else {
            byte[] body = new byte[length - FrameReader.HEADER];
            buf.getBytes(index + FrameReader.HEADER, body);
            exchange.message(body);
        }
    }

    @Override
    public void readComplete() {}

    @Override
    public void writabilityChanged() {}

    @Override
    public void tick(long now) {
        long limit = services.config().timeouts().clientLoginTimeout().toNanos();
        if (limit > 0 && now - client.connectedNanos() > limit) {
            client.end(ErrorFields.fatal(SqlState.INVALID_AUTHORIZATION, "client_login_timeout"));
        }
    }

    @Override
    public void close() {
        ended = true;
        login.close();
        reader.close();
    }

    /** Another phase follows. */
    void leave() {
        ended = true;
    }

    @Override
    public boolean isAtBoundary() {
        return true;
    }
}
