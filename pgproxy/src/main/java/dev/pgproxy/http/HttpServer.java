package dev.pgproxy.http;

import dev.pgproxy.config.HttpSettings;
import dev.pgproxy.net.ClientTls;
import dev.pgproxy.net.Transport;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.HttpContentCompressor;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.flow.FlowControlHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Listens for HTTP/1.1, with one thread for everything. Thread-safe. An address that cannot be had is tried again until it
 * can: another process may still have it, from which this one takes over, and clients of the proxy are not to wait for that.
 */
public final class HttpServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(HttpServer.class);
    private static final long AGAIN_MILLIS = 500;
    private static final int LONGEST_LINE = 4096;
    private static final int LONGEST_HEADERS = 8192;
    private static final int CHUNK = 4096;

    private final HttpSettings settings;
    private final Supplier<ClientTls> tls;
    private final Endpoints endpoints;
    private final HttpLimits limits;
    private final EventLoopGroup group =
            new MultiThreadIoEventLoopGroup(1, new DefaultThreadFactory("http", true), NioIoHandler.newFactory());
    private final EventLoop loop = group.next();
    private final OpenConnections open;
    private final Live live;
    private final List<Channel> listening = new CopyOnWriteArrayList<>();

    private HttpServer(HttpSettings settings, Supplier<ClientTls> tls, Endpoints endpoints, HttpLimits limits) {
        this.settings = settings;
        this.tls = tls;
        this.endpoints = endpoints;
        this.limits = limits;
        this.open = new OpenConnections(limits.connections());
        this.live = new Live(() -> endpoints.shown(loop), limits, loop);
    }

    /** Starts, where the settings say so; {@code tls} is asked for each connection. */
    public static HttpServer start(HttpSettings settings, Supplier<ClientTls> tls, Endpoints endpoints) {
        return start(settings, tls, endpoints, HttpLimits.USUAL);
    }

    static HttpServer start(HttpSettings settings, Supplier<ClientTls> tls, Endpoints endpoints, HttpLimits limits) {
        HttpServer server = new HttpServer(settings, tls, endpoints, limits);
        for (String address : settings.addr()) {
            server.bound(server.bind(address).awaitUninterruptibly(), address, true);
        }
        return server;
    }

    private ChannelFuture bind(String address) {
        InetSocketAddress where = address.equals("*")
                ? new InetSocketAddress(settings.port())
                : new InetSocketAddress(address, settings.port());
        Access access = new Access(settings);
        ServerBootstrap bootstrap = new ServerBootstrap()
                .group(group)
                .channel(NioServerSocketChannel.class)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.ALLOCATOR, Transport.ALLOCATOR)
                .childOption(ChannelOption.AUTO_READ, false)
                .childHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        pipeline(channel, access);
                    }
                });
        return bootstrap.bind(where);
    }

    private void bound(ChannelFuture bound, String address, boolean first) {
        if (bound.isSuccess()) {
            listening.add(bound.channel());
            LOG.info(
                    "{}: page, metrics and health at {}",
                    settings.tls() ? "https" : "http",
                    bound.channel().localAddress());
            if (group.isShuttingDown()) {
                bound.channel().close();
            }
            return;
        }
        if (first) {
            LOG.warn(
                    "http: {} port {} cannot be listened on ({}): no metrics there; it is tried again every {} ms",
                    address,
                    settings.port(),
                    String.valueOf(bound.cause().getMessage()),
                    AGAIN_MILLIS);
        }
        if (!group.isShuttingDown()) {
            loop.schedule(() -> again(address), AGAIN_MILLIS, TimeUnit.MILLISECONDS);
        }
    }

    private void again(String address) {
        bind(address).addListener(bound -> bound((ChannelFuture) bound, address, false));
    }

    private void pipeline(Channel channel, Access access) {
        if (settings.tls()) {
            ClientTls now = tls.get();
            if (!now.isOffered()) {
                channel.close();
                return;
            }
            channel.pipeline().addLast(now.handler(channel.alloc()));
        }
        channel.pipeline()
                .addLast(new HttpServerCodec(new HttpDecoderConfig()
                        .setMaxInitialLineLength(LONGEST_LINE)
                        .setMaxHeaderSize(LONGEST_HEADERS)
                        .setMaxChunkSize(CHUNK)))
                .addLast(new HttpContentCompressor())
                .addLast(new FlowControlHandler())
                .addLast(new HttpConnection(endpoints, access, limits, open, live));
    }

    /** The port of the first address it listens on; -1 if there is none yet. */
    public int port() {
        return listening.isEmpty()
                ? -1
                : ((InetSocketAddress) listening.getFirst().localAddress()).getPort();
    }

    /** Ends at once, the endpoints too: who waits for an answer does not get it. */
    @Override
    public synchronized void close() {
        if (group.isShuttingDown()) {
            return; // a process that has handed over closes it earlier
        }
        listening.forEach(Channel::close);
        loop.execute(open::close); // a loop that ends at once does not always close what it has
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS);
        endpoints.close();
    }
}
