package dev.pgproxy.client;

import dev.pgproxy.auth.UserSecret;
import dev.pgproxy.config.DatabaseSettings;
import dev.pgproxy.config.ProxyConfig;
import dev.pgproxy.pool.LeaseListener;
import dev.pgproxy.pool.Pool;
import dev.pgproxy.pool.PoolCounters.Counter;
import dev.pgproxy.pool.PoolKey;
import dev.pgproxy.protocol.auth.ScramKeys;
import dev.pgproxy.protocol.backend.BackendWriter;
import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.backend.SqlState;
import dev.pgproxy.protocol.frame.BackendType;
import dev.pgproxy.protocol.frame.FrameReader;
import dev.pgproxy.query.SettingsAlignment;
import dev.pgproxy.server.Credentials;
import dev.pgproxy.server.OwnReply;
import dev.pgproxy.server.ServerConnection;
import dev.pgproxy.server.ServerState;
import dev.pgproxy.session.Reported;
import dev.pgproxy.session.Session;
import dev.pgproxy.session.Settings;
import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoop;
import java.net.InetAddress;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * From an authenticated client to its session: which pool, what the client is told at start-up, and the phase that
 * follows. What servers report for the same start-up settings is asked once. Confined to the client's loop.
 */
final class Login implements LeaseListener {
    private static final Logger LOG = LoggerFactory.getLogger(Login.class);
    private static final String APPLICATION_NAME = "application_name";
    private static final Set<String> CONSOLE = Set.of("pgproxy", "pgbouncer");

    private final ClientConnection client;
    private final ClientServices services;
    private final Map<String, String> startup;
    private final String database;
    private final String user;
    private final int minor;

    private Settings base = Settings.NONE;
    private Settings asked = Settings.NONE;
    private String applicationName = "";
    private @Nullable ErrorFields tooLong;
    private @Nullable Pool pool;
    private @Nullable FrameReader reader;
    private @Nullable ServerConnection leased;
    private boolean waiting;
    private long waitingSince;
    private boolean closed;

    Login(
            ClientConnection client,
            ClientServices services,
            Map<String, String> startup,
            String database,
            String user,
            int minor) {
        this.client = client;
        this.services = services;
        this.startup = startup;
        this.database = database;
        this.user = user;
        this.minor = minor;
    }

    /** The value of {@code replication}: true for physical, database for logical, or empty. */
    String replication() {
        String value = startup.getOrDefault("replication", "").toLowerCase(Locale.ROOT);
        return switch (value) {
            case "true", "on", "yes", "1", "t", "y" -> "true";
            case "database" -> "database";
            default -> "";
        };
    }

    private boolean isConsole() {
        return isConsole(services.config(), database);
    }

    /** Whether the name is the console's. */
    static boolean isConsole(ProxyConfig config, String database) {
        return CONSOLE.contains(database) && config.databases().get(database) == null;
    }

    /** Nanoseconds that it has waited for a server; 0 if it does not. */
    long waited() {
        return waiting ? Math.max(1, System.nanoTime() - waitingSince) : 0;
    }

    /** Why the client is not even asked for its password. */
    @Nullable
    ErrorFields refusal() {
        ProxyConfig config = services.config();
        if (isConsole()) {
            boolean may = config.admin().adminUsers().contains(user)
                    || config.admin().statsUsers().contains(user);
            return may
                    ? null
                    : ErrorFields.fatal(
                            SqlState.INVALID_AUTHORIZATION,
                            "not allowed",
                            "Only admin_users and stats_users may use the console.");
        }
        if (services.isDraining()) {
            return ErrorFields.fatal(SqlState.CANNOT_CONNECT_NOW, "the database system is shutting down");
        }
        if (services.pools().gates().isDisabled(database)) {
            return ErrorFields.fatal(
                    SqlState.OBJECT_NOT_IN_PREREQUISITE_STATE, "database \"" + database + "\" is disabled");
        }
        DatabaseSettings settings = config.database(database);
        String limit = services.clients()
                .count(
                        client,
                        config.limits().maxClientConn(),
                        settings == null ? 0 : config.maxClientsOf(settings),
                        config.maxClientsOf(user));
        return limit == null
                ? null
                : ErrorFields.fatal(
                        SqlState.TOO_MANY_CONNECTIONS,
                        "no more connections allowed (" + limit + ")",
                        "Close unused connections, or ask the administrator to raise the limit.");
    }

    /** The client is who it says. */
    void proceed(@Nullable UserSecret secret, @Nullable ScramKeys keys, FrameReader rest, boolean encrypted) {
        reader = rest;
        if (services.config().log().logConnections()) {
            LOG.info("{} logged in{}", client, encrypted ? " over " + client.tls() : "");
        }
        ByteBuf out = client.channel().alloc().buffer(9);
        BackendWriter.authenticationOk(out);
        client.channel().write(out);
        if (isConsole()) {
            enter(new ConsolePhase(
                    client, services, services.config().admin().adminUsers().contains(user)));
            return;
        }
        DatabaseSettings settings = services.config().database(database);
        if (settings == null) {
            client.end(
                    ErrorFields.fatal(SqlState.INVALID_CATALOG_NAME, "database \"" + database + "\" does not exist"));
            return;
        }
        Pool found = services.pools().enter(new PoolKey(database, user));
        client.entered(found);
        pool = found;
        if (settings.user() == null) {
            remember(found.credentials(), secret, keys);
        } else if (settings.password() == null) {
            remember(found.credentials(), services.authenticator().find(settings.user()), null);
        }
        if (!replication().isEmpty()) {
            enter(new TunnelPhase(client, services, found, startup, minor));
            return;
        }
        try {
            StartupParameters parameters = StartupParameters.of(startup);
            base = settings(parameters);
            tooLong = new ApplicationName(parameters.values().getOrDefault(APPLICATION_NAME, ""))
                    .notice(parameters.values().getOrDefault("client_min_messages", ""));
        } catch (StartupParameters.BadOption e) {
            client.end(e.error());
            return;
        }
        asked = base.without(APPLICATION_NAME);
        found.counters().row(loopIndex()).add(Counter.CLIENT_LOGIN_COUNT, 1);
        Reported known = found.welcomes().find(asked);
        if (known != null) {
            welcome(known);
            return;
        }
        client.channel().flush();
        waiting = true;
        waitingSince = System.nanoTime();
        ServerConnection server = found.acquire(this);
        if (server != null) {
            granted(server);
        }
    }

    private Settings settings(StartupParameters parameters) {
        applicationName = parameters.values().getOrDefault(APPLICATION_NAME, "");
        InetAddress address = client.address();
        if (services.config().pool().applicationNameAddHost() && address != null) {
            applicationName = (applicationName.isEmpty() ? "app" : applicationName) + " - " + address.getHostAddress()
                    + ":" + client.port();
            return parameters
                    .settings()
                    .with(APPLICATION_NAME, SettingsAlignment.setConfig(APPLICATION_NAME, applicationName));
        }
        return parameters.settings();
    }

    /** What was known before and is no longer the user's must not be tried instead. */
    static void remember(Credentials credentials, @Nullable UserSecret secret, @Nullable ScramKeys keys) {
        if (secret instanceof UserSecret.PlainPassword plain) {
            credentials.password(plain.password());
        } else if (secret instanceof UserSecret.Md5Hash md5) {
            credentials.md5(md5.hash());
        } else if (keys != null) {
            credentials.forgetPassword();
        }
        if (keys != null) {
            credentials.keys(keys);
        }
    }

    int loopIndex() {
        return services.transport().loops().indexOf(client.channel().eventLoop());
    }

    // ---- a server is asked what it reports

    @Override
    public EventLoop loop() {
        return client.channel().eventLoop();
    }

    @Override
    public Settings wantedSettings() {
        return asked;
    }

    @Override
    public Set<String> customSettings() {
        Set<String> custom = new HashSet<>();
        for (String name : asked.names()) {
            if (Settings.isCustom(name)) {
                custom.add(name);
            }
        }
        return custom;
    }

    @Override
    public void granted(ServerConnection server) {
        waiting = false;
        if (closed) {
            giveBack(server);
            return;
        }
        List<String> sql = SettingsAlignment.between(server.settings().get(), asked);
        if (sql.isEmpty()) {
            aligned(server, null);
            return;
        }
        leased = server;
        server.ask(String.join(";", sql), new OwnReply() {
            @Override
            public void done(@Nullable ErrorFields error, byte status) {
                if (error == null) {
                    server.settings().reset(asked);
                    server.customSettings().addAll(customSettings());
                }
                aligned(server, error);
            }
        });
    }

    private void aligned(ServerConnection server, @Nullable ErrorFields error) {
        leased = null;
        Reported reported = server.reported();
        giveBack(server);
        if (closed) {
            return;
        }
        if (error != null) {
            client.end(error.asFatal());
            return;
        }
        if (pool != null) {
            pool.welcomes().put(asked, reported);
        }
        welcome(reported);
    }

    private void giveBack(ServerConnection server) {
        server.detach(ServerState.TESTED);
        if (pool != null) {
            pool.release(server);
        }
    }

    @Override
    public void refused(ErrorFields error) {
        waiting = false;
        if (!closed) {
            client.end(error.asFatal());
        }
    }

    private void welcome(Reported reported) {
        Pool to = pool;
        if (to == null) {
            return;
        }
        if (tooLong != null) {
            ByteBuf out = client.channel().alloc().buffer();
            tooLong.write(out, BackendType.NOTICE_RESPONSE);
            client.channel().write(out);
        }
        Reported told = reported.with(
                APPLICATION_NAME, new ApplicationName(applicationName).reported(reported.get("server_version")));
        Session session = new Session(database, user, base, told);
        enter(new QueryPhase(client, services, session, to, minor >= 2));
    }

    private void enter(ClientPhase next) {
        FrameReader from = reader;
        if (client.phase() instanceof AuthenticationPhase before) {
            before.leave();
        }
        client.become(next);
        if (next instanceof QueryPhase queries) {
            queries.begin();
        } else if (next instanceof ConsolePhase console) {
            console.begin(minor >= 2);
        } else if (next instanceof TunnelPhase tunnel) {
            tunnel.begin();
        }
        if (from != null && from.holdsBytes()) {
            client.phase().read(from.takeRest());
        }
    }

    /** The client has gone while it waited. */
    void close() {
        closed = true;
        if (waiting && pool != null) {
            pool.cancelWait(this);
        }
        if (leased != null) {
            LOG.debug("{} left while its settings were tried", client);
        }
    }
}
