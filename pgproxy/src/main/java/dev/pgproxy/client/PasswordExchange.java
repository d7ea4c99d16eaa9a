package dev.pgproxy.client;

import dev.pgproxy.auth.AuthMethod;
import dev.pgproxy.auth.Authenticator;
import dev.pgproxy.auth.UserSecret;
import dev.pgproxy.protocol.auth.ChannelBinding;
import dev.pgproxy.protocol.auth.Md5Password;
import dev.pgproxy.protocol.auth.ScramFailure;
import dev.pgproxy.protocol.auth.ScramServer;
import dev.pgproxy.protocol.backend.BackendWriter;
import dev.pgproxy.protocol.backend.SqlState;
import dev.pgproxy.protocol.frame.ProtocolViolation;
import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Asks a client for its password by one method and checks the answer. Used once, confined to the client's loop. Source:
 * manual, "Start-up", "SASL Authentication".
 */
final class PasswordExchange {
    private static final SecureRandom RANDOM = new SecureRandom();

    private final AuthenticationPhase phase;
    private final Authenticator authenticator;
    private final String user;
    private final @Nullable UserSecret secret;
    private AuthMethod method = AuthMethod.REJECT;
    private final byte[] salt = new byte[4];
    private @Nullable ScramServer scram;
    private @Nullable String mechanism;
    private boolean answered;

    PasswordExchange(AuthenticationPhase phase, Authenticator authenticator, String user, @Nullable UserSecret secret) {
        this.phase = phase;
        this.authenticator = authenticator;
        this.user = user;
        this.secret = secret;
    }

    /** Sends the first request. */
    void begin(AuthMethod by, @Nullable ChannelBinding binding) {
        method = by;
        if (by != AuthMethod.SCRAM) {
            ByteBuf out = phase.channel().alloc().buffer();
            if (by == AuthMethod.MD5) {
                RANDOM.nextBytes(salt);
                BackendWriter.authenticationMd5Password(out, salt);
            } else {
                BackendWriter.authenticationCleartextPassword(out);
            }
            phase.channel().writeAndFlush(out);
            return;
        }
        phase.then(authenticator.verifier(user, secret), verifier -> {
            boolean real = secret instanceof UserSecret.PlainPassword || secret instanceof UserSecret.ScramVerifier;
            String reason = secret == null ? "no such user" : "the user has no SCRAM verifier";
            scram = real
                    ? ScramServer.verifying(user, verifier, binding)
                    : ScramServer.mock(user, verifier, binding, reason);
            ByteBuf out = phase.channel().alloc().buffer();
            BackendWriter.authenticationSasl(out, ScramServer.mechanisms(binding));
            phase.channel().writeAndFlush(out);
        });
    }

    /** The client's answer. */
    void message(byte[] body) {
        if (method == AuthMethod.SCRAM) {
            scramMessage(body);
            return;
        }
        if (answered) {
            throw new ProtocolViolation("unexpected password message");
        }
        answered = true;
        if (body.length == 0 || body[body.length - 1] != 0) {
            throw new ProtocolViolation("invalid password packet size");
        }
        byte[] password = Arrays.copyOf(body, body.length - 1);
        if (method == AuthMethod.MD5) {
            String hash = secret instanceof UserSecret.Md5Hash md5
                    ? md5.hash()
                    : secret instanceof UserSecret.PlainPassword plain ? Md5Password.hash(user, plain.bytes()) : null;
            decide(hash != null && Md5Password.verify(hash, salt, password));
        } else {
            phase.then(authenticator.accepts(user, secret, password), ok -> decide(ok, password));
        }
    }

    private void decide(boolean ok) {
        if (ok) {
            phase.succeed(secret, null);
        } else {
            phase.refusePassword(secret == null ? "no such user" : "wrong password");
        }
    }

    /** A password in clear text also serves to log in to servers. */
    private void decide(boolean ok, byte[] password) {
        if (ok) {
            phase.succeed(new UserSecret.PlainPassword(new String(password, StandardCharsets.UTF_8)), null);
        } else {
            decide(false);
        }
    }

    private void scramMessage(byte[] body) {
        ScramServer server = scram;
        if (server == null || answered) {
            throw new ProtocolViolation("unexpected SASL message");
        }
        try {
            if (mechanism == null) {
                String reply = first(server, body);
                ByteBuf out = phase.channel().alloc().buffer();
                BackendWriter.authenticationSaslContinue(out, reply);
                phase.channel().writeAndFlush(out);
            } else {
                answered = true;
                String reply = text(server.last(body));
                ByteBuf out = phase.channel().alloc().buffer();
                BackendWriter.authenticationSaslFinal(out, reply);
                phase.channel().write(out);
                phase.succeed(secret, server.keys());
            }
        } catch (ScramFailure e) {
            if (e.sqlState().equals(SqlState.INVALID_PASSWORD.code())) {
                phase.refusePassword(e.reason());
            } else {
                phase.refuse(SqlState.PROTOCOL_VIOLATION, String.valueOf(e.getMessage()), e.reason());
            }
        }
    }

    /** SASLInitialResponse: {@code String mechanism, Int32 length or -1, Byten client-first-message}. */
    private String first(ScramServer server, byte[] body) throws ScramFailure {
        int zero = 0;
        while (zero < body.length && body[zero] != 0) {
            zero++;
        }
        if (body.length < zero + 5) {
            throw new ProtocolViolation("invalid SASLInitialResponse");
        }
        String named = new String(body, 0, zero, StandardCharsets.US_ASCII);
        int at = zero + 1;
        int length = (body[at] & 0xff) << 24
                | (body[at + 1] & 0xff) << 16
                | (body[at + 2] & 0xff) << 8
                | body[at + 3] & 0xff;
        if (length != body.length - at - 4) {
            throw new ProtocolViolation("invalid SASLInitialResponse");
        }
        mechanism = named;
        return text(server.first(named, Arrays.copyOfRange(body, at + 4, body.length)));
    }

    private static String text(byte[] ascii) {
        return new String(ascii, StandardCharsets.UTF_8);
    }
}
