package dev.pgproxy.net;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.config.ConfigLoader;
import dev.pgproxy.config.ProxyConfig;
import dev.pgproxy.config.RuntimeSettings;
import dev.pgproxy.config.TransportChoice;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A peer that says something and closes at once, as a terminated server does, is known to be gone. */
final class EndOfStreamTest {
    private static final int CONNECTIONS = 3_000;
    private static final int AT_A_TIME = 50;

    @ParameterizedTest
    @EnumSource(names = {"IO_URING", "EPOLL", "NIO"})
    void theEndBehindTheLastBytesIsSeen(TransportChoice choice) throws Exception {
        ProxyConfig config = ConfigLoader.parse("databases { \"*\" { primary = \"h\" } }");
        CountDownLatch ended = new CountDownLatch(CONNECTIONS);
        try (Transport transport = new Transport(
                        new RuntimeSettings(1, choice, null),
                        config.listen(),
                        Duration.ZERO,
                        new HostNames(Runnable::run, Duration.ZERO));
                ServerSocket peer = new ServerSocket(0, AT_A_TIME, InetAddress.getLoopbackAddress())) {
            Bootstrap bootstrap = new Bootstrap().group(transport.group()).handler(new Slow(ended));
            transport.clientSocket(bootstrap, false);
            Thread.ofPlatform().daemon().start(() -> speakAndClose(peer));
            for (int done = 0; done < CONNECTIONS; done += AT_A_TIME) {
                connect(bootstrap, peer.getLocalSocketAddress());
            }

            assertThat(ended.await(10, TimeUnit.SECONDS))
                    .as("%s: %d of %d ends not seen", transport.kind(), ended.getCount(), CONNECTIONS)
                    .isTrue();
        }
    }

    private static void connect(Bootstrap bootstrap, SocketAddress address) throws InterruptedException {
        List<ChannelFuture> connections = new ArrayList<>();
        for (int i = 0; i < AT_A_TIME; i++) {
            connections.add(bootstrap.connect(address));
        }
        for (ChannelFuture connection : connections) {
            connection.sync().channel().closeFuture().await(100);
        }
    }

    /** Half of them are closed, half are reset, as by a server that leaves something unread. */
    private static void speakAndClose(ServerSocket peer) {
        byte[] words = new byte[100];
        for (int i = 0; i < CONNECTIONS; i++) {
            try (Socket socket = peer.accept()) {
                socket.getInputStream().read(); // it knows that it is connected
                socket.getOutputStream().write(words);
                socket.setSoLinger(i % 2 == 0, 0);
            } catch (IOException e) {
                return; // the test is over
            }
        }
    }

    /** Takes its time with what it reads, so that the end comes while the loop is busy. */
    private static final class Slow extends ChannelInitializer<Channel> {
        private final CountDownLatch ended;

        Slow(CountDownLatch ended) {
            this.ended = ended;
        }

        @Override
        protected void initChannel(Channel channel) {
            channel.pipeline().addLast(new ChannelInboundHandlerAdapter() {
                @Override
                public void channelActive(ChannelHandlerContext ctx) {
                    ctx.writeAndFlush(ctx.alloc().buffer(1).writeZero(1));
                }

                @Override
                public void channelRead(ChannelHandlerContext ctx, Object msg) {
                    ReferenceCountUtil.release(msg);
                    long until = System.nanoTime() + 100_000;
                    while (System.nanoTime() < until) {
                        Thread.onSpinWait();
                    }
                }

                @Override
                public void channelInactive(ChannelHandlerContext ctx) {
                    ended.countDown();
                }

                @Override
                public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
                    ctx.close();
                }
            });
        }
    }
}
