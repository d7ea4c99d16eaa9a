package dev.pgproxy.net;

import dev.pgproxy.config.HostAddress;
import dev.pgproxy.config.Secret;
import dev.pgproxy.config.ServerTlsSettings;
import dev.pgproxy.config.SslMode;
import dev.pgproxy.protocol.auth.ChannelBinding;
import io.netty.channel.Channel;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import java.security.cert.CertPathValidatorException;
import java.security.cert.Certificate;
import java.security.cert.CertificateExpiredException;
import java.security.cert.X509Certificate;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;

/** TLS towards servers, with the modes of libpq's sslmode. Immutable, thread-safe; made anew by a reload. */
public final class ServerTls {
    private final SslMode mode;
    private final @Nullable SslContext context;

    private ServerTls(SslMode mode, @Nullable SslContext context) {
        this.mode = mode;
        this.context = context;
    }

    /**
     * Reads certificates and keys.
     *
     * @throws SSLException if they cannot be used
     */
    public static ServerTls of(ServerTlsSettings settings) throws SSLException {
        if (settings.sslMode() == SslMode.DISABLE) {
            return new ServerTls(SslMode.DISABLE, null);
        }
        SslContextBuilder builder = SslContextBuilder.forClient().endpointIdentificationAlgorithm(null);
        if (settings.sslMode().verifies()) {
            if (settings.caFile() != null) {
                builder.trustManager(settings.caFile().toFile());
            }
        } else {
            builder.trustManager(InsecureTrustManagerFactory.INSTANCE);
        }
        if (settings.certFile() != null && settings.keyFile() != null) {
            Secret password = settings.keyPassword();
            builder.keyManager(
                    settings.certFile().toFile(),
                    settings.keyFile().toFile(),
                    password == null ? null : password.reveal());
        }
        if (!settings.protocols().isEmpty()) {
            builder.protocols(settings.protocols());
        }
        if (!settings.ciphers().isEmpty()) {
            builder.ciphers(settings.ciphers());
        }
        return new ServerTls(settings.sslMode(), builder.build());
    }

    /** Whether the first attempt asks for TLS; all modes do but disable and allow. */
    public boolean asks() {
        return mode != SslMode.DISABLE && mode != SslMode.ALLOW;
    }

    /**
     * Whether a server that refuses one way is tried the other way: with TLS under allow, without under prefer. As in
     * libpq a server's pg_hba.conf may let in only one of them.
     */
    public boolean triesBoth() {
        return mode == SslMode.ALLOW || mode == SslMode.PREFER;
    }

    /** Whether a server without TLS is refused. */
    public boolean insists() {
        return mode != SslMode.DISABLE && mode != SslMode.ALLOW && mode != SslMode.PREFER;
    }

    /** The handler for one connection to {@code host}. */
    public SslHandler handler(Channel channel, HostAddress host) {
        if (context == null) {
            throw new IllegalStateException("TLS is disabled");
        }
        SslHandler handler = context.newHandler(channel.alloc(), host.host(), host.port());
        if (mode == SslMode.VERIFY_FULL) {
            SSLParameters parameters = handler.engine().getSSLParameters();
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
            handler.engine().setSSLParameters(parameters);
        }
        return handler;
    }

    /** The channel binding of the server's certificate, null where it permits none. */
    public static @Nullable ChannelBinding binding(SslHandler handler) {
        try {
            Certificate[] chain = handler.engine().getSession().getPeerCertificates();
            return chain[0] instanceof X509Certificate certificate ? ChannelBinding.of(certificate) : null;
        } catch (SSLPeerUnverifiedException e) {
            return null;
        }
    }

    /** Which certificate of a server has expired, and when, if a handshake has failed of that; else null. */
    public static @Nullable String expired(Throwable failure) {
        String which = "a certificate of the server";
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof CertPathValidatorException e
                    && e.getIndex() >= 0
                    && e.getCertPath().getCertificates().get(e.getIndex()) instanceof X509Certificate certificate) {
                which = "the certificate of " + certificate.getSubjectX500Principal() + " expired at "
                        + certificate.getNotAfter().toInstant();
            } else if (cause instanceof CertificateExpiredException) {
                return which.contains(" expired at ") ? which : which + " expired: " + cause.getMessage();
            }
        }
        return null;
    }

    /** Protocol and cipher, as SHOW SERVERS prints them. */
    public static String describe(SslHandler handler) {
        SSLSession session = handler.engine().getSession();
        return session.getProtocol() + "/" + session.getCipherSuite();
    }
}
