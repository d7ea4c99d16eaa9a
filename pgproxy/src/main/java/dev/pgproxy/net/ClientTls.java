package dev.pgproxy.net;

import dev.pgproxy.config.ClientTlsSettings;
import dev.pgproxy.config.Secret;
import dev.pgproxy.config.SslMode;
import dev.pgproxy.protocol.auth.ChannelBinding;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.jspecify.annotations.Nullable;

/**
 * TLS towards clients, with PgBouncer's modes. Immutable, thread-safe; made anew by a reload, so that new connections
 * get a new certificate. Direct TLS asks for ALPN {@code postgresql}.
 */
public final class ClientTls {
    private static final String PROTOCOL = "postgresql";

    /** A client that names another protocol, or none, is heard: whether it had to name ours is seen afterwards. */
    private static final ApplicationProtocolConfig ALPN = new ApplicationProtocolConfig(
            ApplicationProtocolConfig.Protocol.ALPN,
            ApplicationProtocolConfig.SelectorFailureBehavior.NO_ADVERTISE,
            ApplicationProtocolConfig.SelectedListenerFailureBehavior.ACCEPT,
            PROTOCOL);

    private final SslMode mode;
    private final @Nullable SslContext context;
    private final @Nullable ChannelBinding binding;

    private ClientTls(SslMode mode, @Nullable SslContext context, @Nullable ChannelBinding binding) {
        this.mode = mode;
        this.context = context;
        this.binding = binding;
    }

    /**
     * Reads certificate and key.
     *
     * @throws IOException if they cannot be read or used
     */
    public static ClientTls of(ClientTlsSettings settings) throws IOException {
        if (settings.sslMode() == SslMode.DISABLE || settings.certFile() == null || settings.keyFile() == null) {
            return new ClientTls(SslMode.DISABLE, null, null);
        }
        ChannelBinding binding;
        try (InputStream in = Files.newInputStream(settings.certFile())) {
            X509Certificate certificate =
                    (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
            binding = ChannelBinding.of(certificate);
        } catch (CertificateException e) {
            throw new SSLException("client_tls_cert_file is not a certificate: " + e.getMessage(), e);
        }
        SslContext context = builder(settings).applicationProtocolConfig(ALPN).build();
        return new ClientTls(settings.sslMode(), context, binding);
    }

    private static SslContextBuilder builder(ClientTlsSettings settings) throws SSLException {
        java.nio.file.Path cert = settings.certFile();
        java.nio.file.Path key = settings.keyFile();
        if (cert == null || key == null) {
            throw new SSLException("client_tls_cert_file and client_tls_key_file are needed");
        }
        Secret password = settings.keyPassword();
        SslContextBuilder builder =
                SslContextBuilder.forServer(cert.toFile(), key.toFile(), password == null ? null : password.reveal());
        if (settings.sslMode().verifies()) {
            builder.clientAuth(ClientAuth.REQUIRE);
            if (settings.caFile() != null) {
                builder.trustManager(settings.caFile().toFile());
            }
        } else if (settings.caFile() != null) {
            builder.clientAuth(ClientAuth.OPTIONAL)
                    .trustManager(settings.caFile().toFile());
        } else {
            builder.trustManager(InsecureTrustManagerFactory.INSTANCE);
        }
        if (!settings.protocols().isEmpty()) {
            builder.protocols(settings.protocols());
        }
        if (!settings.ciphers().isEmpty()) {
            builder.ciphers(settings.ciphers());
        }
        return builder;
    }

    /** Whether clients may use TLS. */
    public boolean isOffered() {
        return context != null;
    }

    /** Whether clients without TLS are refused. */
    public boolean insists() {
        return mode == SslMode.REQUIRE || mode.verifies();
    }

    /** The handler for one client. */
    public SslHandler handler(ByteBufAllocator allocator) {
        if (context == null) {
            throw new IllegalStateException("TLS is disabled");
        }
        return context.newHandler(allocator);
    }

    /** Whether a client that began with TLS named the protocol, as PostgreSQL demands. */
    public static boolean namedProtocol(SslHandler handler) {
        return PROTOCOL.equals(handler.applicationProtocol());
    }

    /** Channel binding of our certificate, null where it permits none. */
    public @Nullable ChannelBinding binding() {
        return binding;
    }

    /** The client's certificate, null if it sent none. */
    public static @Nullable X509Certificate peer(SslHandler handler) {
        try {
            return (X509Certificate) handler.engine().getSession().getPeerCertificates()[0];
        } catch (SSLPeerUnverifiedException e) {
            return null;
        }
    }
}
