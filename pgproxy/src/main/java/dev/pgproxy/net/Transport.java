package dev.pgproxy.net;

import dev.pgproxy.config.HostAddress;
import dev.pgproxy.config.ListenSettings;
import dev.pgproxy.config.RuntimeSettings;
import dev.pgproxy.config.TransportChoice;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannelRecvByteBufAllocator;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.channel.unix.UnixChannelOption;
import io.netty.channel.uring.IoUring;
import io.netty.channel.uring.IoUringDomainSocketChannel;
import io.netty.channel.uring.IoUringIoHandler;
import io.netty.channel.uring.IoUringServerDomainSocketChannel;
import io.netty.channel.uring.IoUringServerSocketChannel;
import io.netty.channel.uring.IoUringSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.EventExecutor;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which system interface carries the sockets, and its event loops. Falls back from io_uring to epoll to NIO by itself
 * where a kernel or a container refuses. Thread-safe.
 */
public final class Transport implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Transport.class);

    /** Where the buffers of sockets come from: Netty's other one makes and clears a new chunk for each large read. */
    public static final PooledByteBufAllocator ALLOCATOR = PooledByteBufAllocator.DEFAULT;

    static {
        // With a poll that fires for many events Netty 4.2.18 waits for ever if a connection is reset between the poll
        // and the read: the kernel says that nothing more is there to read. One that is armed anew looks again.
        System.setProperty("io.netty.iouring.pollAddMultishotEnabled", "false");
    }

    private final TransportChoice kind;
    private final HostNames names;
    private final EventLoopGroup group;
    private final List<EventLoop> loops;
    private volatile ListenSettings tcp;
    private volatile List<TcpOption<?>> tcpOptions;

    /** Starts the loops. */
    public Transport(RuntimeSettings settings, ListenSettings tcp, Duration userTimeout, HostNames names) {
        this.names = names;
        this.tcp = tcp;
        this.kind = choose(settings.transport());
        this.tcpOptions = TcpOption.of(kind, tcp, userTimeout);
        int threads = settings.threads() == 0 ? defaultThreads() : settings.threads();
        this.group = new MultiThreadIoEventLoopGroup(threads, new DefaultThreadFactory("loop", true), factory(kind));
        List<EventLoop> all = new ArrayList<>();
        for (EventExecutor executor : group) {
            all.add((EventLoop) executor);
        }
        this.loops = List.copyOf(all);
    }

    /** Half the processors: PostgreSQL, the client and the kernel want the others, and a busy loop batches better. */
    private static int defaultThreads() {
        return Math.max(1, Runtime.getRuntime().availableProcessors() / 2);
    }

    private static TransportChoice choose(TransportChoice wanted) {
        if (wanted == TransportChoice.NIO) {
            return wanted;
        }
        if (wanted != TransportChoice.EPOLL && IoUring.isAvailable()) {
            return TransportChoice.IO_URING;
        }
        if (wanted == TransportChoice.IO_URING) {
            LOG.warn("io_uring is not available ({}), using epoll", cause(IoUring.unavailabilityCause()));
        }
        if (Epoll.isAvailable()) {
            return TransportChoice.EPOLL;
        }
        if (wanted == TransportChoice.EPOLL) {
            LOG.warn("epoll is not available ({}), using NIO", cause(Epoll.unavailabilityCause()));
        }
        return TransportChoice.NIO;
    }

    /**
     * These settings, where listening descriptors come from elsewhere: Netty can take them over with epoll alone.
     *
     * @throws IOException if that is not what is configured, or there is none
     */
    public static RuntimeSettings takingDescriptors(RuntimeSettings settings) throws IOException {
        String hindrance = settings.transport() == TransportChoice.NIO
                ? "transport = nio cannot take them over, epoll can"
                : Epoll.isAvailable() ? null : "that needs epoll: " + cause(Epoll.unavailabilityCause());
        if (hindrance != null) {
            throw new IOException("listening descriptors (LISTEN_FDS, handover_socket): " + hindrance);
        }
        if (settings.transport() == TransportChoice.IO_URING) {
            LOG.warn("io_uring cannot take over listening descriptors (LISTEN_FDS, handover_socket), using epoll");
        }
        return new RuntimeSettings(settings.threads(), TransportChoice.EPOLL, settings.pidfile());
    }

    private static String cause(Throwable unavailable) {
        return unavailable == null ? "unknown" : String.valueOf(unavailable.getMessage());
    }

    private static IoHandlerFactory factory(TransportChoice kind) {
        return switch (kind) {
            case IO_URING -> IoUringIoHandler.newFactory();
            case EPOLL -> EpollIoHandler.newFactory();
            case AUTO, NIO -> NioIoHandler.newFactory();
        };
    }

    /** What was chosen: never {@code AUTO}. */
    public TransportChoice kind() {
        return kind;
    }

    /** All loops. */
    public List<EventLoop> loops() {
        return loops;
    }

    /** The loops as a group. */
    public EventLoopGroup group() {
        return group;
    }

    /** Configures a connection to a server; when it is connected, {@link #tune} sets the rest. */
    public void clientSocket(Bootstrap bootstrap, boolean unix) {
        switch (kind) {
            case IO_URING -> bootstrap.channel(unix ? IoUringDomainSocketChannel.class : IoUringSocketChannel.class);
            case EPOLL -> bootstrap.channel(unix ? EpollDomainSocketChannel.class : EpollSocketChannel.class);
            case AUTO, NIO -> {
                if (unix) {
                    bootstrap.channelFactory(() -> {
                        throw unsupported();
                    });
                } else {
                    bootstrap.channel(NioSocketChannel.class);
                }
            }
        }
        if (!unix) {
            bootstrap.resolver(names);
        }
        bootstrap.option(ChannelOption.ALLOCATOR, ALLOCATOR);
        bootstrap.option(ChannelOption.RECVBUF_ALLOCATOR, ReadSizes.ofServer());
    }

    /** Host names and their addresses. */
    public HostNames names() {
        return names;
    }

    /** Configures a listener; {@link #tune} is for the connections of clients that it accepts. */
    public void serverSocket(ServerBootstrap bootstrap, boolean unix) {
        switch (kind) {
            case IO_URING ->
                bootstrap.channel(unix ? IoUringServerDomainSocketChannel.class : IoUringServerSocketChannel.class);
            case EPOLL ->
                bootstrap.channel(unix ? EpollServerDomainSocketChannel.class : EpollServerSocketChannel.class);
            case AUTO, NIO -> {
                if (unix) {
                    bootstrap.channelFactory(() -> {
                        throw unsupported();
                    });
                } else {
                    bootstrap.channel(NioServerSocketChannel.class);
                }
            }
        }
        bootstrap.option(ChannelOption.SO_BACKLOG, tcp.listenBacklog());
        if (!unix) {
            bootstrap.option(ChannelOption.SO_REUSEADDR, true);
            if (tcp.soReuseport() && kind != TransportChoice.NIO) {
                bootstrap.option(UnixChannelOption.SO_REUSEPORT, true);
            }
        }
        accepted(bootstrap);
    }

    private static void accepted(ServerBootstrap bootstrap) {
        bootstrap.childOption(ChannelOption.ALLOCATOR, ALLOCATOR);
        bootstrap.childOption(ChannelOption.RECVBUF_ALLOCATOR, ReadSizes.ofClient());
    }

    /**
     * Has this listener accept on a socket that listens already; closing its channel closes the descriptor, and leaves the
     * file of a unix socket. Only with {@link #takingDescriptors}.
     */
    public ChannelFuture adopt(ServerBootstrap bootstrap, ListeningSocket socket) {
        int descriptor = socket.descriptor();
        accepted(bootstrap);
        if (socket.waiting()) {
            // one at a time, as often as epoll says that somebody is there: accept would wait for the next one
            bootstrap.option(
                    ChannelOption.RECVBUF_ALLOCATOR, new ServerChannelRecvByteBufAllocator().maxMessagesPerRead(1));
        }
        return bootstrap
                .channelFactory(() -> socket.isUnix()
                        ? new EpollServerDomainSocketChannel(descriptor, true)
                        : new EpollServerSocketChannel(descriptor))
                .register();
    }

    /** RELOAD: for connections from now on. */
    public void reload(ListenSettings changed, Duration changedUserTimeout) {
        tcp = changed;
        tcpOptions = TcpOption.of(kind, changed, changedUserTimeout);
    }

    /** Sets how TCP watches a new connection, of a client or to a server; does nothing on a unix socket. */
    public void tune(Channel channel) {
        if (channel instanceof SocketChannel) {
            tcpOptions.forEach(option -> option.set(channel));
        }
    }

    /** The socket address of a host; a name is looked up when connecting. */
    public SocketAddress address(HostAddress host) {
        return host.isUnixSocket()
                ? new DomainSocketAddress(host.socketPath())
                : InetSocketAddress.createUnresolved(host.host(), host.port());
    }

    private static UnsupportedOperationException unsupported() {
        return new UnsupportedOperationException(
                "unix sockets need transport = epoll or io_uring, which only Linux has; this is nio");
    }

    /** Completes when all loops have ended. */
    public CompletionStage<Void> closed() {
        CompletableFuture<Void> closed = new CompletableFuture<>();
        group.terminationFuture().addListener(ended -> closed.complete(null));
        return closed;
    }

    /** Closes when these connections are closed, or a moment later. */
    public void closeAfter(Collection<Channel> connections) {
        CompletableFuture<?>[] gone = connections.stream().map(Transport::gone).toArray(CompletableFuture[]::new);
        CompletableFuture.allOf(gone)
                .completeOnTimeout(null, 1, TimeUnit.SECONDS)
                .thenRun(this::close);
    }

    private static CompletableFuture<Void> gone(Channel connection) {
        CompletableFuture<Void> gone = new CompletableFuture<>();
        connection.closeFuture().addListener(closed -> gone.complete(null));
        return gone;
    }

    @Override
    public void close() {
        // not at once: with io_uring the kernel has yet to say that the sockets are closed
        group.shutdownGracefully(50, 2000, TimeUnit.MILLISECONDS);
    }
}
