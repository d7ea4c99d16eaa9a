package dev.pgproxy.server;

import dev.pgproxy.net.ServerTls;
import dev.pgproxy.protocol.auth.ChannelBinding;
import dev.pgproxy.protocol.auth.Md5Password;
import dev.pgproxy.protocol.auth.ScramClient;
import dev.pgproxy.protocol.auth.ScramFailure;
import dev.pgproxy.protocol.auth.ScramKeys;
import dev.pgproxy.protocol.frame.CString;
import dev.pgproxy.protocol.frame.ProtocolViolation;
import dev.pgproxy.protocol.frontend.FrontendWriter;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.SslHandler;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Answers a server's authentication requests with what the pool knows. Used once, on one loop. Source: manual,
 * "Start-up", "SASL Authentication".
 */
final class ServerAuthentication {
    private static final int OK = 0;
    private static final int CLEARTEXT = 3;
    private static final int MD5 = 5;
    private static final int SASL = 10;
    private static final int SASL_CONTINUE = 11;
    private static final int SASL_FINAL = 12;

    private final ServerTarget target;
    private final @Nullable SslHandler tls;
    private @Nullable ScramClient scram;

    ServerAuthentication(ServerTarget target, @Nullable SslHandler tls) {
        this.target = target;
        this.tls = tls;
    }

    /** The answer to one request, null if there is none to give. */
    @Nullable
    ByteBuf answer(ByteBuf in, int body, int length, ByteBufAllocator allocator) throws ScramFailure {
        int end = body + length;
        int kind = in.getInt(body);
        ByteBuf out = null;
        switch (kind) {
            case OK -> {
                if (scram != null && !scram.proved()) {
                    throw new ProtocolViolation(
                            "server accepted the login without proving its knowledge of the password");
                }
            }
            case CLEARTEXT -> {
                byte[] password = target.credentials().password();
                if (password == null) {
                    throw missing("a clear-text password");
                }
                out = allocator.buffer();
                FrontendWriter.password(out, new String(password, StandardCharsets.UTF_8));
            }
            case MD5 -> {
                byte[] salt = new byte[4];
                in.getBytes(body + 4, salt);
                String proof = Md5Password.answer(md5Hash(), salt);
                out = allocator.buffer();
                FrontendWriter.password(out, proof);
            }
            case SASL -> {
                scram = begin(mechanisms(in, body + 4, end));
                out = allocator.buffer();
                FrontendWriter.saslInitial(out, scram.mechanism(), scram.first());
            }
            case SASL_CONTINUE -> {
                byte[] proof = exchange().last(bytes(in, body + 4, end));
                out = allocator.buffer();
                FrontendWriter.passwordBytes(out, proof);
            }
            case SASL_FINAL -> {
                exchange().verify(bytes(in, body + 4, end));
                target.credentials().keys(exchange().keys());
            }
            default ->
                throw new ProtocolViolation(
                        "the server asks for authentication method " + kind
                                + ", which is not supported: use scram-sha-256, md5, password, cert or trust in its pg_hba.conf");
        }
        return out;
    }

    private ScramClient begin(List<String> mechanisms) throws ScramFailure {
        ChannelBinding binding = tls == null ? null : ServerTls.binding(tls);
        byte[] password = target.credentials().password();
        ScramKeys keys = target.credentials().keys();
        if (password != null) {
            return ScramClient.withPassword(password, keys, mechanisms, binding);
        }
        if (keys != null) {
            return ScramClient.withKeys(keys, mechanisms, binding);
        }
        throw missing("SCRAM-SHA-256");
    }

    private ScramClient exchange() {
        if (scram == null) {
            throw new ProtocolViolation("unexpected SASL message from the server");
        }
        return scram;
    }

    private String md5Hash() {
        byte[] password = target.credentials().password();
        String hash = target.credentials().md5();
        if (password != null) {
            return Md5Password.hash(target.user(), password);
        }
        if (hash != null) {
            return hash;
        }
        throw missing("md5");
    }

    private ProtocolViolation missing(String method) {
        return new ProtocolViolation(
                dev.pgproxy.protocol.backend.SqlState.INVALID_AUTHORIZATION,
                "the server asks for " + method + ", but no password is known for user \"" + target.user()
                        + "\": add it to users, to auth_file, or let the client log in with scram-sha-256");
    }

    private static List<String> mechanisms(ByteBuf in, int from, int end) {
        List<String> names = new ArrayList<>();
        int i = from;
        while (i < end && in.getByte(i) != 0) {
            names.add(CString.read(in, i, end));
            i = CString.end(in, i, end) + 1;
        }
        return names;
    }

    private static byte[] bytes(ByteBuf in, int from, int end) {
        byte[] bytes = new byte[end - from];
        in.getBytes(from, bytes);
        return bytes;
    }
}
