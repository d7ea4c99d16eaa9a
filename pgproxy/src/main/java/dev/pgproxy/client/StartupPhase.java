package dev.pgproxy.client;

import dev.pgproxy.cancel.CancelKeys;
import dev.pgproxy.config.HostAddress;
import dev.pgproxy.net.ClientTls;
import dev.pgproxy.protocol.backend.BackendWriter;
import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.backend.SqlState;
import dev.pgproxy.protocol.frame.ProtocolViolation;
import dev.pgproxy.protocol.startup.InitialMessage;
import dev.pgproxy.protocol.startup.InitialMessageReader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.ssl.SslHandler;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Up to the StartupMessage: TLS, by SSLRequest or directly; GSSENCRequest is refused; a CancelRequest is carried out.
 * Confined to the client's loop. Source: manual, "Start-up", "SSL Session Encryption", "GSSAPI Session Encryption".
 */
final class StartupPhase implements ClientPhase {
    private static final Logger LOG = LoggerFactory.getLogger(StartupPhase.class);
    private static final int TLS_HANDSHAKE = 0x16;

    private final ClientConnection client;
    private final ClientServices services;
    private @Nullable ByteBuf cumulation;
    private @Nullable SslHandler tls;
    private boolean askedGss;

    StartupPhase(ClientConnection client, ClientServices services) {
        this.client = client;
        this.services = services;
    }

    @Override
    public void read(ByteBuf in) {
        ByteBuf all = in;
        if (cumulation != null) {
            all = cumulation.writeBytes(in);
            in.release();
            cumulation = null;
        }
        boolean keep = false;
        try {
            keep = messages(all);
        } finally {
            if (keep) {
                cumulation = all.isReadOnly() || all.maxCapacity() < InitialMessageReader.MAX_LENGTH
                        ? Unpooled.buffer().writeBytes(all)
                        : all;
                if (cumulation != all) {
                    all.release();
                }
            } else {
                all.release();
            }
        }
    }

    /** True if more bytes are needed. */
    private boolean messages(ByteBuf in) {
        while (in.isReadable()) {
            if (tls == null && in.getUnsignedByte(in.readerIndex()) == TLS_HANDSHAKE) {
                directTls(in);
                return false;
            }
            if (isBeforeVersion3(in)) {
                return false;
            }
            InitialMessage message = InitialMessageReader.read(in);
            if (message == null) {
                return true;
            }
            if (message instanceof InitialMessage.SslRequest) {
                sslRequest(in);
            } else if (message instanceof InitialMessage.GssEncRequest) {
                gssEncRequest(in);
            } else if (message instanceof InitialMessage.CancelRequest cancel) {
                cancel(cancel.processId(), cancel.secret());
                return false;
            } else if (message instanceof InitialMessage.Startup startup) {
                startup(startup, in);
                return false;
            }
        }
        return false;
    }

    /** Protocols 1 and 2 had errors without fields: PostgreSQL answers clients of that time in their own way. */
    private boolean isBeforeVersion3(ByteBuf in) {
        int major = in.readableBytes() < 8 ? 3 : in.getUnsignedShort(in.readerIndex() + 4);
        if (major != 1 && major != 2) {
            return false;
        }
        String text = "EFATAL:  unsupported frontend protocol " + major + "."
                + in.getUnsignedShort(in.readerIndex() + 6) + ": server supports 3.0 to 3.2\n\0";
        client.channel().writeAndFlush(Unpooled.copiedBuffer(text, StandardCharsets.US_ASCII));
        client.close("protocol " + major);
        return true;
    }

    private void sslRequest(ByteBuf in) {
        if (tls != null) {
            throw new ProtocolViolation("unsupported frontend protocol 1234.5679: already encrypted");
        }
        ClientTls offered = services.tls();
        boolean yes = offered.isOffered() && client.address() != null;
        if (yes && in.isReadable()) {
            // somebody between may have put them there: CVE-2021-23214
            throw new ProtocolViolation("received unencrypted data after SSL request");
        }
        client.channel().writeAndFlush(Unpooled.copiedBuffer(new byte[] {(byte) (yes ? 'S' : 'N')}));
        if (yes) {
            encrypt(offered, false);
        }
    }

    private void directTls(ByteBuf in) {
        ClientTls offered = services.tls();
        if (!offered.isOffered()) {
            client.close("direct TLS, but TLS is not configured");
            return;
        }
        encrypt(offered, true);
        client.channel().pipeline().fireChannelRead(in.retain());
    }

    private void encrypt(ClientTls offered, boolean direct) {
        SslHandler handler = offered.handler(client.channel().alloc());
        tls = handler;
        client.channel().pipeline().addFirst("tls", handler);
        handler.handshakeFuture().addListener(future -> {
            if (!future.isSuccess()) {
                LOG.debug("{} TLS handshake failed: {}", client, future.cause().toString());
                client.close("TLS handshake failed");
            } else if (direct && !ClientTls.namedProtocol(handler)) {
                client.close("direct TLS without ALPN protocol \"postgresql\"");
            } else {
                client.encrypted(handler.engine().getSession().getProtocol() + "/"
                        + handler.engine().getSession().getCipherSuite());
            }
        });
    }

    private void gssEncRequest(ByteBuf in) {
        if (askedGss || tls != null) {
            throw new ProtocolViolation("unsupported frontend protocol 1234.5680: GSSAPI encryption is not supported");
        }
        if (in.isReadable()) {
            throw new ProtocolViolation("received unencrypted data after GSSAPI encryption request");
        }
        askedGss = true;
        client.channel().writeAndFlush(Unpooled.copiedBuffer(new byte[] {'N'}));
    }

    private void cancel(int processId, byte[] secret) {
        CancelKeys keys = services.cancelKeys();
        int instance = CancelKeys.instanceOf(processId);
        HostAddress peer = services.config().peers().peers().get(instance);
        if (instance != keys.instance() && peer != null) {
            if (!keys.passesOn(client.address())) {
                client.close("too many cancel requests for other instances");
                return;
            }
            services.cancelForwarder()
                    .send(
                            peer,
                            processId,
                            secret,
                            null,
                            services.config().timeouts().cancelWaitTimeout(),
                            client.channel().eventLoop(),
                            () -> client.close("cancel request passed on"));
            return;
        }
        Consumer<Runnable> action = keys.find(processId, secret, client.address(), comesFromPeer());
        if (action == null) {
            client.close("cancel request with a wrong key");
        } else {
            // closed only when the server has been told, as PostgreSQL does: the client may rely on it
            action.accept(() -> client.close("cancel request"));
        }
    }

    private boolean comesFromPeer() {
        InetAddress from = client.address();
        return from != null
                && services.config().peers().peers().values().stream()
                        .anyMatch(peer -> peer.host().equals(from.getHostAddress()));
    }

    private void startup(InitialMessage.Startup startup, ByteBuf in) {
        if (services.tls().insists() && tls == null && client.address() != null) {
            client.end(ErrorFields.fatal(SqlState.INVALID_AUTHORIZATION, "SSL required"));
            return;
        }
        Map<String, String> parameters;
        try {
            parameters = StartupParameters.obeyed(
                    startup.parameters(), services.config().pool().startup());
        } catch (StartupParameters.BadOption e) {
            client.end(e.error());
            return;
        }
        List<String> unknown = new ArrayList<>();
        for (String name : startup.parameters().keySet()) {
            if (name.startsWith("_pq_.")) {
                unknown.add(name);
            }
        }
        int newest = InitialMessage.VERSION_3_2;
        int minor = Math.min(startup.minor(), newest & 0xffff);
        if (startup.minor() > (newest & 0xffff) || !unknown.isEmpty()) {
            ByteBuf out = client.channel().alloc().buffer();
            BackendWriter.negotiateProtocolVersion(out, 3 << 16 | minor, unknown);
            client.channel().write(out);
        }
        AuthenticationPhase next = new AuthenticationPhase(client, services, parameters, minor, tls);
        client.become(next);
        next.begin();
        if (in.isReadable()) {
            client.phase().read(in.readRetainedSlice(in.readableBytes()));
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
            client.close("client_login_timeout");
        }
    }

    @Override
    public void close() {
        if (cumulation != null) {
            cumulation.release();
            cumulation = null;
        }
    }

    @Override
    public boolean isAtBoundary() {
        return true;
    }
}
