package dev.pgproxy.handover;

import static dev.pgproxy.handover.HandoverSocket.DRAIN;
import static dev.pgproxy.handover.HandoverSocket.SEND;
import static dev.pgproxy.handover.HandoverSocket.VERSION;

import dev.pgproxy.net.ListeningSocket;
import dev.pgproxy.net.Transport;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.channel.unix.DomainSocketReadMode;
import io.netty.channel.unix.FileDescriptor;
import java.io.IOException;
import java.net.ConnectException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The follower's side of a {@link HandoverSocket}. Used by the thread that starts the program, which waits for each
 * answer. Closing it before {@link #complete} leaves the process that runs as it is.
 */
public final class Takeover implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Takeover.class);
    private static final long PATIENCE_SECONDS = 10;

    private final Path path;
    private final EpollDomainSocketChannel channel;
    private final Talk talk;

    private Takeover(Path path, EpollDomainSocketChannel channel, Talk talk) {
        this.path = path;
        this.channel = channel;
        this.talk = talk;
    }

    /**
     * Finds the process that runs; null if there is none.
     *
     * @throws IOException if it cannot be asked
     */
    public static @Nullable Takeover find(Path path, Transport transport) throws IOException {
        if (!Files.exists(path)) {
            return null;
        }
        EpollDomainSocketChannel channel = new EpollDomainSocketChannel();
        Talk talk = new Talk(channel);
        ChannelFuture connected = new Bootstrap()
                .group(transport.group())
                .channelFactory(() -> channel)
                .handler(talk)
                .connect(new DomainSocketAddress(path.toString()))
                .awaitUninterruptibly();
        if (!connected.isSuccess()) {
            if (connected.cause() instanceof ConnectException) {
                return null; // the file is left from a process that has gone
            }
            throw new IOException(
                    "cannot reach the process that listens at handover_socket " + path + ": "
                            + connected.cause().getMessage(),
                    connected.cause());
        }
        Takeover takeover = new Takeover(path, channel, talk);
        if (channel.peerCredentials().uid() != HandoverSocket.account()) {
            takeover.close();
            throw new IOException("handover_socket " + path + " belongs to a process of another account");
        }
        return takeover;
    }

    /**
     * What the other process listens on, in a list that may be changed.
     *
     * @throws IOException if it does not tell
     */
    public List<ListeningSocket> sockets() throws IOException {
        talk.say(VERSION);
        List<ListeningSocket> sockets = new ArrayList<>();
        for (FileDescriptor descriptor : await(talk.descriptors)) {
            sockets.add(ListeningSocket.of(descriptor.intValue(), true, false));
        }
        LOG.info("process {} hands over {}", channel.peerCredentials().pid(), sockets);
        return sockets;
    }

    /** From now on the other process drains. */
    public void complete() {
        try {
            talk.say(DRAIN);
            await(talk.drains);
        } catch (IOException e) {
            // this one listens: whether or not the other one does, nobody is refused
            LOG.warn("look whether the last process drains: {}", e.getMessage());
        }
    }

    private <T> T await(CompletableFuture<T> answer) throws IOException {
        try {
            return answer.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException | TimeoutException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            throw new IOException(
                    "the process that listens at handover_socket " + path + " does not answer: " + cause, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while taking over", e);
        }
    }

    @Override
    public void close() {
        channel.close();
    }

    /** What is said. Confined to the channel's loop, but for the answers. */
    private static final class Talk extends ChannelInboundHandlerAdapter {
        final CompletableFuture<List<FileDescriptor>> descriptors = new CompletableFuture<>();
        final CompletableFuture<Boolean> drains = new CompletableFuture<>();

        private final EpollDomainSocketChannel channel;
        private final List<FileDescriptor> received = new ArrayList<>();
        private int expected = -1;
        private boolean asked;

        Talk(EpollDomainSocketChannel channel) {
            this.channel = channel;
        }

        void say(byte word) {
            channel.writeAndFlush(channel.alloc().buffer(1).writeByte(word));
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object msg) {
            if (msg instanceof FileDescriptor descriptor) {
                received.add(descriptor);
                return;
            }
            ByteBuf in = (ByteBuf) msg;
            byte word = in.readByte();
            in.release();
            if (expected < 0) {
                expected = word;
            } else if (word == DRAIN) {
                drains.complete(true);
            }
        }

        /** Not sooner: a read of bytes that is still under way would drop the descriptors that come with them. */
        @Override
        public void channelReadComplete(ChannelHandlerContext ctx) {
            if (expected >= 0 && received.size() == expected) {
                channel.config().setReadMode(DomainSocketReadMode.BYTES);
                descriptors.complete(received);
            } else if (expected > 0 && !asked) {
                asked = true;
                channel.config().setReadMode(DomainSocketReadMode.FILE_DESCRIPTORS);
                say(SEND);
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            fail(new IOException("it has closed the connection"));
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            fail(cause);
            ctx.close();
        }

        private void fail(Throwable cause) {
            descriptors.completeExceptionally(cause);
            drains.completeExceptionally(cause);
        }
    }
}
