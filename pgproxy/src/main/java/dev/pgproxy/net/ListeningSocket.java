package dev.pgproxy.net;

import io.netty.channel.ChannelException;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.channel.unix.Socket;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;

/**
 * A stream socket that listens already, and that a listener may take over with {@link Transport#adopt}. Its descriptor
 * stays open until the listener or {@link #close} closes it. Immutable. Needs Netty's epoll library to be loaded.
 *
 * @param descriptor its number in this process
 * @param address where it listens
 * @param owned whether pgproxy made it: then its file, if it has one, is pgproxy's to remove
 * @param waiting whether accept waits where nobody is there: whoever made it has not set O_NONBLOCK, and Java cannot
 */
public record ListeningSocket(int descriptor, SocketAddress address, boolean owned, boolean waiting) {
    // asm-generic/socket.h; the same on x86-64 and AArch64, the only ones that Netty's library is for
    private static final int SOL_SOCKET = 1;
    private static final int SO_TYPE = 3;
    private static final int SO_RCVTIMEO = 20;
    private static final int SO_ACCEPTCONN = 30;
    private static final int SO_DOMAIN = 39;
    private static final int SOCK_STREAM = 1;
    private static final int AF_UNIX = 1;
    private static final int AF_INET = 2;
    private static final int AF_INET6 = 10;

    /**
     * A descriptor that somebody else has opened.
     *
     * @throws IOException if it is none of a listening TCP or unix socket
     */
    public static ListeningSocket of(int descriptor, boolean owned, boolean waiting) throws IOException {
        Socket socket;
        int family;
        boolean listens;
        try {
            socket = new Socket(descriptor);
            family = socket.getIntOpt(SOL_SOCKET, SO_DOMAIN);
            listens = socket.getIntOpt(SOL_SOCKET, SO_TYPE) == SOCK_STREAM
                    && socket.getIntOpt(SOL_SOCKET, SO_ACCEPTCONN) != 0;
        } catch (IOException | ChannelException e) {
            throw new IOException("descriptor " + descriptor + " is no socket: " + e.getMessage(), e);
        }
        if (!listens) {
            throw new IOException("descriptor " + descriptor + " is no stream socket that listens");
        }
        SocketAddress address = switch (family) {
            case AF_UNIX -> socket.localDomainSocketAddress();
            case AF_INET, AF_INET6 -> socket.localAddress();
            default -> null;
        };
        if (address == null) {
            throw new IOException("descriptor " + descriptor + " is neither a TCP nor a unix socket");
        }
        if (waiting) {
            socket.setRawOpt(SOL_SOCKET, SO_RCVTIMEO, tick());
        }
        return new ListeningSocket(descriptor, address, owned, waiting);
    }

    /**
     * Makes a unix socket. Unlike with a channel of Netty's, its file stays when it is closed.
     *
     * @throws IOException if it cannot be bound
     */
    public static ListeningSocket bind(Path file, int backlog) throws IOException {
        Socket socket = Socket.newSocketDomain();
        try {
            DomainSocketAddress address = new DomainSocketAddress(file.toString());
            socket.bind(address);
            socket.listen(backlog);
            return new ListeningSocket(socket.intValue(), address, true, false);
        } catch (IOException e) {
            socket.close();
            throw e;
        }
    }

    /** Whether it is a unix socket. */
    public boolean isUnix() {
        return address instanceof DomainSocketAddress;
    }

    /** Whether it listens there; port 0 is any port. */
    public boolean fits(SocketAddress wanted) {
        if (address instanceof InetSocketAddress own && wanted instanceof InetSocketAddress other) {
            return (other.getPort() == 0 || other.getPort() == own.getPort())
                    && !other.isUnresolved()
                    && same(own.getAddress(), other.getAddress());
        }
        return address instanceof DomainSocketAddress own
                && wanted instanceof DomainSocketAddress other
                && absolute(own).equals(absolute(other));
    }

    /** All addresses are all addresses, of whichever family the socket is. */
    private static boolean same(InetAddress own, InetAddress other) {
        return own.isAnyLocalAddress() ? other.isAnyLocalAddress() : own.equals(other);
    }

    private static Path absolute(DomainSocketAddress address) {
        return Path.of(address.path()).toAbsolutePath().normalize();
    }

    /** The shortest time that accept waits: a tick of the kernel's clock. A struct timeval; source: socket(7). */
    private static ByteBuffer tick() {
        return ByteBuffer.allocateDirect(2 * Long.BYTES)
                .order(ByteOrder.nativeOrder())
                .putLong(0)
                .putLong(1)
                .flip();
    }

    /** Closes the descriptor, if no listener has taken it. */
    public void close() throws IOException {
        new Socket(descriptor).close();
    }

    @Override
    public String toString() {
        return address instanceof InetSocketAddress inet
                ? inet.getAddress().getHostAddress() + ":" + inet.getPort()
                : address.toString();
    }
}
