package dev.pgproxy.server;

import dev.pgproxy.net.ServerTls;
import dev.pgproxy.protocol.auth.ScramFailure;
import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.backend.SqlState;
import dev.pgproxy.protocol.frame.BackendType;
import dev.pgproxy.protocol.frame.CString;
import dev.pgproxy.protocol.frame.FrameReader;
import dev.pgproxy.protocol.frame.ProtocolViolation;
import dev.pgproxy.protocol.frontend.FrontendWriter;
import dev.pgproxy.protocol.startup.InitialMessage;
import dev.pgproxy.session.Reported;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Logs in to a server: TLS, start-up, authentication, up to the first ReadyForQuery; then a {@link ServerConnection}
 * takes its place. Confined to the channel's loop. Source: manual, "Start-up", "SSL Session Encryption".
 */
final class ServerLogin extends ChannelInboundHandlerAdapter {
    /** Longest message of a log-in; errors and SASL lists are far shorter. */
    private static final int MAX_MESSAGE = 64 * 1024;

    /** Only a handshake that failed ends with this: another attempt without TLS may do better. */
    static final SqlState HANDSHAKE_FAILURE = SqlState.CONNECTION_EXCEPTION;

    private final ServerTarget target;
    private final boolean encrypt;
    private final LoginListener listener;
    private final Map<String, String> reported = new LinkedHashMap<>();

    private @Nullable ByteBuf cumulation;
    private @Nullable ServerAuthentication authentication;
    private @Nullable ScheduledFuture<?> deadline;
    private boolean awaitingTlsAnswer;
    private boolean ended;
    private int processId;
    private byte[] secret = {};
    private String tls = "";

    /** {@code encrypt} asks for TLS, which the server may not have. */
    ServerLogin(ServerTarget target, boolean encrypt, LoginListener listener) {
        this.target = target;
        this.encrypt = encrypt;
        this.listener = listener;
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        long millis = target.timeout().toMillis();
        if (millis > 0) {
            deadline = ctx.executor()
                    .schedule(
                            () -> fail(
                                    ctx,
                                    ErrorFields.fatal(
                                            SqlState.CONNECTION_FAILURE,
                                            "timed out logging in to server (" + target.host() + ")",
                                            "It takes connections and does not answer: look at its load and storage.")),
                            millis,
                            TimeUnit.MILLISECONDS);
        }
        if (encrypt) {
            ByteBuf out = ctx.alloc().buffer(8);
            FrontendWriter.sslRequest(out);
            awaitingTlsAnswer = true;
            ctx.writeAndFlush(out);
        } else {
            startup(ctx);
        }
    }

    private void startup(ChannelHandlerContext ctx) {
        Map<String, String> parameters = new LinkedHashMap<>();
        parameters.put("user", target.user());
        parameters.put("database", target.database());
        parameters.putAll(target.parameters());
        ByteBuf out = ctx.alloc().buffer();
        FrontendWriter.startup(out, InitialMessage.VERSION_3_0, parameters);
        ctx.writeAndFlush(out);
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object msg) {
        ByteBuf in = (ByteBuf) msg;
        if (ended) {
            in.release();
            return;
        }
        if (cumulation == null) {
            cumulation = ctx.alloc().buffer();
        }
        cumulation.writeBytes(in);
        in.release();
        try {
            if (!awaitingTlsAnswer || tlsAnswer(ctx, cumulation)) {
                messages(ctx, cumulation);
            }
        } catch (ProtocolViolation e) {
            fail(ctx, e.state(), e.message());
        } catch (ScramFailure e) {
            fail(ctx, SqlState.INVALID_PASSWORD, e.getMessage() + " (" + e.reason() + ")");
        }
    }

    private boolean tlsAnswer(ChannelHandlerContext ctx, ByteBuf in) {
        awaitingTlsAnswer = false;
        byte answer = in.readByte();
        if (answer == 'S') {
            if (in.isReadable()) {
                // a man in the middle could have put them there: CVE-2021-23222
                throw new ProtocolViolation("received unencrypted data after SSL response");
            }
            SslHandler handler = target.tls().handler(ctx.channel(), target.host());
            ctx.pipeline().addFirst("tls", handler);
            handler.handshakeFuture().addListener(future -> {
                if (future.isSuccess()) {
                    tls = ServerTls.describe(handler);
                    startup(ctx);
                } else {
                    fail(
                            ctx,
                            HANDSHAKE_FAILURE,
                            "TLS handshake with server failed: " + ServerConnector.reason(future.cause()));
                }
            });
            return false;
        }
        if (answer != 'N') {
            throw new ProtocolViolation("unexpected answer to SSLRequest");
        }
        if (target.tls().insists()) {
            fail(ctx, SqlState.CONNECTION_FAILURE, "server does not support TLS, but server_tls_sslmode requires it");
            return false;
        }
        startup(ctx);
        return true;
    }

    private void messages(ChannelHandlerContext ctx, ByteBuf in) throws ScramFailure {
        while (!ended && in.readableBytes() >= FrameReader.HEADER) {
            int index = in.readerIndex();
            int length = in.getInt(index + 1);
            if (length < 4 || length > MAX_MESSAGE) {
                throw new ProtocolViolation("invalid message length " + length + " during login to the server");
            }
            if (in.readableBytes() < length + 1) {
                return;
            }
            in.readerIndex(index + length + 1);
            message(ctx, in, in.getByte(index), index, length + 1);
        }
    }

    private void message(ChannelHandlerContext ctx, ByteBuf in, byte type, int index, int length) throws ScramFailure {
        int body = index + FrameReader.HEADER;
        switch (type) {
            case BackendType.AUTHENTICATION -> {
                if (authentication == null) {
                    authentication =
                            new ServerAuthentication(target, ctx.pipeline().get(SslHandler.class));
                }
                ByteBuf answer = authentication.answer(in, body, length - FrameReader.HEADER, ctx.alloc());
                if (answer != null) {
                    ctx.writeAndFlush(answer);
                }
            }
            case BackendType.PARAMETER_STATUS -> {
                int value = CString.end(in, body, index + length) + 1;
                reported.put(CString.read(in, body, index + length), CString.read(in, value, index + length));
            }
            case BackendType.BACKEND_KEY_DATA -> {
                processId = in.getInt(body);
                secret = new byte[length - FrameReader.HEADER - 4];
                in.getBytes(body + 4, secret);
            }
            case BackendType.ERROR_RESPONSE -> fail(ctx, ErrorFields.read(in, index, length));
            case BackendType.READY_FOR_QUERY -> succeed(ctx);
            case BackendType.NOTICE_RESPONSE, BackendType.NEGOTIATE_PROTOCOL_VERSION -> {}
            default ->
                throw new ProtocolViolation("unexpected message type '" + (char) type + "' during login to the server");
        }
    }

    private void succeed(ChannelHandlerContext ctx) {
        end();
        ServerIdentity identity = new ServerIdentity(
                ServerIdentity.nextId(),
                target.host(),
                target.database(),
                target.user(),
                processId,
                secret,
                tls,
                tls.isEmpty() ? null : target.tls());
        ServerConnection server = new ServerConnection(ctx.channel(), identity, Reported.of(reported));
        ctx.pipeline().replace(this, "server", server.handler());
        listener.connected(server);
    }

    private void fail(ChannelHandlerContext ctx, SqlState state, String message) {
        fail(ctx, ErrorFields.fatal(state, message + " (" + target.host() + ")"));
    }

    private void fail(ChannelHandlerContext ctx, ErrorFields error) {
        if (!ended) {
            end();
            ctx.close();
            listener.failed(error);
        }
    }

    private void end() {
        ended = true;
        if (deadline != null) {
            deadline.cancel(false);
        }
        if (cumulation != null) {
            cumulation.release();
            cumulation = null;
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        fail(ctx, SqlState.CONNECTION_FAILURE, "server closed the connection during login");
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        fail(ctx, SqlState.CONNECTION_FAILURE, "login to server failed: " + ServerConnector.reason(cause));
    }
}
