package dev.pgproxy.client;

import dev.pgproxy.config.ListenSettings;
import dev.pgproxy.config.ProxyConfig;
import dev.pgproxy.net.LastWords;
import dev.pgproxy.net.Transport;
import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.backend.SqlState;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.unix.DomainSocketAddress;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Listens for clients, and has every connected client's clock looked at. Thread-safe where it is closed. */
public final class ClientListener implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ClientListener.class);
    private static final long TICK_MILLIS = 200;

    private final ClientServices services;
    private final Transport transport;
    private final List<Channel> channels = new ArrayList<>();

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
     * Binds all addresses.
     *
     * @return where it listens, as text
     * @throws IOException if an address cannot be bound; nothing is bound then
     */
    public List<String> bind(ListenSettings settings) throws IOException {
        List<String> bound = new ArrayList<>();
        try {
            for (String host : settings.listenAddr()) {
                InetSocketAddress address = host.equals("*")
                        ? new InetSocketAddress(settings.listenPort())
                        : new InetSocketAddress(host, settings.listenPort());
                channels.add(await(bootstrap(false).bind(address), host + ":" + settings.listenPort()));
                bound.add(text((InetSocketAddress) channels.getLast().localAddress()));
            }
            Path directory = settings.unixSocketDir();
            if (directory != null) {
                Path file = directory.resolve(".s.PGSQL." + settings.listenPort());
                Files.deleteIfExists(file);
                channels.add(await(bootstrap(true).bind(new DomainSocketAddress(file.toFile())), file.toString()));
                Files.setPosixFilePermissions(file, settings.unixSocketMode());
                bound.add(file.toString());
            }
        } catch (IOException | RuntimeException e) {
            close();
            throw e;
        }
        return bound;
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
        ServerBootstrap bootstrap = new ServerBootstrap()
                .group(transport.group())
                .childHandler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        accept(channel);
                    }
                });
        transport.serverSocket(bootstrap, unix);
        return bootstrap;
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
    public int port() {
        for (Channel channel : channels) {
            if (channel.localAddress() instanceof InetSocketAddress address) {
                return address.getPort();
            }
        }
        return -1;
    }

    /** Accepts nobody any longer. */
    @Override
    public synchronized void close() {
        for (Channel channel : channels) {
            channel.close();
            if (channel.localAddress() instanceof DomainSocketAddress unix) {
                try {
                    Files.deleteIfExists(Path.of(unix.path()));
                } catch (IOException e) {
                    LOG.warn("cannot remove {}: {}", unix.path(), e.getMessage());
                }
            }
        }
        channels.clear();
    }
}
