package dev.pgproxy.client;

import dev.pgproxy.config.ListenSettings;
import dev.pgproxy.config.ProxyConfig;
import dev.pgproxy.config.TransportChoice;
import dev.pgproxy.net.LastWords;
import dev.pgproxy.net.ListeningSocket;
import dev.pgproxy.net.Transport;
import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.backend.SqlState;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.channel.unix.FileDescriptor;
import io.netty.channel.unix.UnixChannel;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Listens for clients, and has every connected client's clock looked at. Thread-safe where it is closed. */
public final class ClientListener implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ClientListener.class);
    private static final long TICK_MILLIS = 200;

    private final ClientServices services;
    private final Transport transport;
    private final List<Door> doors = new ArrayList<>();
    private final List<ListeningSocket> taken = new ArrayList<>();
    private boolean keptOpen;

    /**
     * An address that it listens on.
     *
     * @param file to be removed at the end; null if there is none, or it is somebody else's
     */
    private record Door(
            Channel channel, String where, @Nullable Path file) {}

    /** A listener that is not yet bound. */
    public ClientListener(ClientServices services, Transport transport) {
        this.services = services;
        this.transport = transport;
        transport
                .loops()
                .forEach(loop ->
                        loop.scheduleWithFixedDelay(() -> tick(loop), TICK_MILLIS, TICK_MILLIS, TimeUnit.MILLISECONDS));
    }

    private void tick(io.netty.channel.EventLoop loop) {
        long now = System.nanoTime();
        for (ClientConnection client : services.clients().all()) {
            if (client.channel().eventLoop() == loop) {
                client.tick(now);
            }
        }
    }

    /**
     * Finds for each address the socket that is given for it, or binds one.
     *
     * @param given sockets that listen already; those that fit are taken out, and used from {@link #start} on
     * @throws IOException if an address cannot be bound; nothing is bound then
     */
    public synchronized void bind(ListenSettings settings, List<ListeningSocket> given) throws IOException {
        try {
            for (String host : settings.listenAddr()) {
                InetSocketAddress address = host.equals("*")
                        ? new InetSocketAddress(settings.listenPort())
                        : new InetSocketAddress(host, settings.listenPort());
                if (take(given, address) == null) {
                    Channel bound = await(bootstrap(false).bind(address), host + ":" + settings.listenPort());
                    doors.add(new Door(bound, text((InetSocketAddress) bound.localAddress()), null));
                }
            }
            Path directory = settings.unixSocketDir();
            if (directory != null) {
                Path file = directory.resolve(".s.PGSQL." + settings.listenPort());
                ListeningSocket socket = take(given, new DomainSocketAddress(file.toFile()));
                if (socket == null) {
                    doors.add(new Door(bindUnix(file, settings.listenBacklog()), file.toString(), file));
                }
                if (socket == null || socket.owned()) {
                    Files.setPosixFilePermissions(file, settings.unixSocketMode());
                }
            }
        } catch (IOException | RuntimeException e) {
            close();
            throw e;
        }
    }

    private @Nullable ListeningSocket take(List<ListeningSocket> given, SocketAddress address) {
        for (ListeningSocket socket : given) {
            if (socket.fits(address)) {
                given.remove(socket);
                taken.add(socket);
                return socket;
            }
        }
        return null;
    }

    /** A socket's file on which nobody listens was left by a process that has been killed. */
    private static void clear(Path file) throws IOException {
        if (isListenedOn(file)) {
            throw new IOException("cannot listen on " + file + ": another process does; stop it, or set another"
                    + " unix_socket_dir or listen_port");
        }
        Files.deleteIfExists(file);
    }

    private static boolean isListenedOn(Path file) throws IOException {
        try (SocketChannel probe = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            probe.configureBlocking(false);
            try {
                probe.connect(UnixDomainSocketAddress.of(file));
                return true; // or it will be accepted some time
            } catch (IOException e) {
                return false;
            }
        }
    }

    private Channel bindUnix(Path file, int backlog) throws IOException {
        clear(file);
        if (transport.kind() != TransportChoice.EPOLL) {
            return await(bootstrap(true).bind(new DomainSocketAddress(file.toFile())), file.toString());
        }
        try {
            // Netty's own would remove the file with its channel, also when another process goes on listening
            return await(transport.adopt(children(), ListeningSocket.bind(file, backlog)), file.toString());
        } catch (IOException e) {
            throw new IOException("cannot listen on " + file + ": " + e.getMessage(), e);
        }
    }

    /**
     * Accepts on the sockets that were given, too.
     *
     * @return where it listens, as text
     */
    public synchronized List<String> start() throws IOException {
        for (ListeningSocket socket : List.copyOf(taken)) {
            Channel channel = await(transport.adopt(children(), socket), socket.toString());
            Path file = socket.owned() && socket.isUnix() ? Path.of(socket.toString()) : null;
            doors.add(new Door(channel, socket.toString(), file));
            taken.remove(socket);
            keptOpen |= !socket.owned();
        }
        return doors.stream().map(Door::where).toList();
    }

    /** Whether who connects later waits for another process, since somebody else keeps the sockets open. */
    public synchronized boolean isKeptOpen() {
        return keptOpen;
    }

    /** What it listens on, for another process; none once it is closed. */
    public synchronized List<FileDescriptor> descriptors() {
        return doors.stream().map(door -> ((UnixChannel) door.channel()).fd()).toList();
    }

    private static String text(InetSocketAddress address) {
        return address.getAddress().getHostAddress() + ":" + address.getPort();
    }

    private static Channel await(ChannelFuture bind, String where) throws IOException {
        bind.awaitUninterruptibly();
        if (!bind.isSuccess()) {
            throw new IOException(
                    "cannot listen on " + where + ": " + bind.cause().getMessage(), bind.cause());
        }
        return bind.channel();
    }

    private ServerBootstrap bootstrap(boolean unix) {
        ServerBootstrap bootstrap = children();
        transport.serverSocket(bootstrap, unix);
        return bootstrap;
    }

    private ServerBootstrap children() {
        return new ServerBootstrap().group(transport.group()).childHandler(new ChannelInitializer<Channel>() {
            @Override
            protected void initChannel(Channel channel) {
                accept(channel);
            }
        });
    }

    private void accept(Channel channel) {
        transport.tune(channel);
        ProxyConfig config = services.config();
        if (channel.remoteAddress() instanceof InetSocketAddress remote) {
            InetAddress address = remote.getAddress();
            boolean proxied = ProxyHeader.isExpected(config.listen().proxyProtocolFrom(), address);
            if (!proxied && !admit(channel, address, config.limits().maxConnectionsPerAddress())) {
                return;
            }
            if (proxied) {
                channel.pipeline().addLast("proxy", new ProxyHeader(services, this));
            }
        }
        channel.pipeline().addLast("client", new ClientConnection(services));
    }

    /** Counts the connection as one of its address; or refuses it, before any work is spent on it. */
    boolean admit(Channel channel, InetAddress address, int max) {
        if (!services.clients().arrive(address, max)) {
            ByteBuf out = channel.alloc().buffer();
            ErrorFields.fatal(SqlState.TOO_MANY_CONNECTIONS, "too many connections from " + address.getHostAddress())
                    .write(out);
            LastWords.send(channel, out);
            LOG.info("refused a connection from {}: max_connections_per_address", address.getHostAddress());
            return false;
        }
        channel.closeFuture().addListener(closed -> services.clients().left(address));
        return true;
    }

    /** The TCP port, once bound; -1 if there is none. */
    public synchronized int port() {
        for (Door door : doors) {
            if (door.channel().localAddress() instanceof InetSocketAddress address) {
                return address.getPort();
            }
        }
        return -1;
    }

    /** Accepts nobody any longer: another process does, on the same sockets. Files of unix sockets stay. */
    public synchronized void release() {
        doors.forEach(door -> door.channel().close());
        doors.clear();
    }

    /** Accepts nobody any longer. */
    @Override
    public synchronized void close() {
        List<Door> closed = List.copyOf(doors);
        release();
        for (Door door : closed) {
            remove(door.file());
        }
        for (ListeningSocket socket : taken) {
            try {
                socket.close();
            } catch (IOException e) {
                LOG.warn("cannot close {}: {}", socket, e.getMessage());
            }
        }
        taken.clear();
    }

    private static void remove(@Nullable Path file) {
        try {
            if (file != null) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            LOG.warn("cannot remove {}: {}", file, e.getMessage());
        }
    }
}
