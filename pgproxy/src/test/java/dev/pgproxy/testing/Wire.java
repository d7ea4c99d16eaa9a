package dev.pgproxy.testing;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketTimeoutException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;

/**
 * A blocking byte stream with a time limit on each read: TCP, TLS over TCP, or a unix socket. For one thread that reads
 * and one that writes. Times are milliseconds, more than 0.
 */
sealed interface Wire extends AutoCloseable {

    int CONNECT_MILLIS = 10_000;

    /** Reads at least one byte; -1 at the end; {@link SocketTimeoutException} once the time is over. */
    int read(byte[] to, int offset, int length, int millis) throws IOException;

    void write(byte[] bytes) throws IOException;

    /** Wraps this connection in TLS and shakes hands; the given application protocols are offered by ALPN. */
    Wire startTls(SSLContext context, String... applicationProtocols) throws IOException;

    @Nullable
    SSLSession tlsSession();

    /** Closes at once without a parting message; with unread input TCP then resets. */
    @Override
    void close() throws IOException;

    static Wire connect(SocketAddress address) throws IOException {
        return address instanceof UnixDomainSocketAddress unix ? new Unix(unix) : new Tcp((InetSocketAddress) address);
    }

    static InetSocketAddress address(String host, int port) throws IOException {
        return new InetSocketAddress(InetAddress.getAllByName(host)[0], port);
    }

    /** TCP, with or without TLS. */
    final class Tcp implements Wire {
        private final Socket socket;

        private Tcp(InetSocketAddress address) throws IOException {
            socket = new Socket();
            socket.setTcpNoDelay(true);
            socket.connect(address, CONNECT_MILLIS);
        }

        private Tcp(Socket socket) {
            this.socket = socket;
        }

        @Override
        public int read(byte[] to, int offset, int length, int millis) throws IOException {
            socket.setSoTimeout(millis);
            return socket.getInputStream().read(to, offset, length);
        }

        @Override
        public void write(byte[] bytes) throws IOException {
            socket.getOutputStream().write(bytes);
        }

        @Override
        public Wire startTls(SSLContext context, String... applicationProtocols) throws IOException {
            String host = socket.getInetAddress().getHostAddress();
            SSLSocket tls = (SSLSocket) context.getSocketFactory().createSocket(socket, host, socket.getPort(), true);
            SSLParameters parameters = tls.getSSLParameters();
            parameters.setApplicationProtocols(applicationProtocols);
            tls.setSSLParameters(parameters);
            tls.setSoTimeout(CONNECT_MILLIS);
            tls.startHandshake();
            return new Tcp(tls);
        }

        @Override
        public @Nullable SSLSession tlsSession() {
            return socket instanceof SSLSocket tls ? tls.getSession() : null;
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }

    /** A unix socket: a channel that never blocks, and a selector that waits for it. */
    final class Unix implements Wire {
        private final SocketChannel channel;
        private final Selector readable;
        private final Selector writable;

        private Unix(UnixDomainSocketAddress address) throws IOException {
            channel = SocketChannel.open(StandardProtocolFamily.UNIX);
            channel.connect(address);
            channel.configureBlocking(false);
            readable = Selector.open();
            writable = Selector.open();
            channel.register(readable, SelectionKey.OP_READ);
            channel.register(writable, SelectionKey.OP_WRITE);
        }

        @Override
        public int read(byte[] to, int offset, int length, int millis) throws IOException {
            readable.select(millis);
            readable.selectedKeys().clear();
            int count = channel.read(ByteBuffer.wrap(to, offset, length));
            if (count == 0) {
                throw new SocketTimeoutException("nothing to read in " + millis + " ms");
            }
            return count;
        }

        @Override
        public void write(byte[] bytes) throws IOException {
            ByteBuffer left = ByteBuffer.wrap(bytes);
            while (left.hasRemaining()) {
                if (channel.write(left) == 0) {
                    writable.select();
                    writable.selectedKeys().clear();
                }
            }
        }

        @Override
        public Wire startTls(SSLContext context, String... applicationProtocols) {
            throw new UnsupportedOperationException("no TLS over a unix socket, as in PostgreSQL");
        }

        @Override
        public @Nullable SSLSession tlsSession() {
            return null;
        }

        @Override
        public void close() throws IOException {
            readable.close();
            writable.close();
            channel.close();
        }
    }
}
