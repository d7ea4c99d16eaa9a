package dev.pgproxy.handover;

import dev.pgproxy.net.ListeningSocket;
import dev.pgproxy.net.Transport;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.unix.FileDescriptor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where a process that is to follow this one asks for its listening descriptors: a unix socket, which only a process of
 * the same account is heard on. Thread-safe.
 *
 * <p>Each side sends one byte and waits for the answer; the descriptors are sent as unix(7) says, SCM_RIGHTS:
 *
 * <pre>
 * follower  1 (the version)    S (send them)            D (drain)
 * this one  their number       a descriptor each        D (it does)
 * </pre>
 *
 * <p>Until D nothing changes here, whatever becomes of the follower.
 */
public final class HandoverSocket implements AutoCloseable {
    static final byte VERSION = 1;
    static final byte SEND = 'S';
    static final byte DRAIN = 'D';

    private static final Logger LOG = LoggerFactory.getLogger(HandoverSocket.class);
    private static final int BACKLOG = 8;

    private final Path path;
    private final Path prepared;
    private final Supplier<List<FileDescriptor>> listening;
    private final Runnable handedOver;
    private final int account;
    private final AtomicBoolean busy = new AtomicBoolean();
    private final Channel channel;
    private final Object file;

    /**
     * Opens it under a name of its own; {@link #publish} has followers find it.
     *
     * @param listening the descriptors of the listeners, asked for on an event loop
     * @param handedOver called once, on an event loop, when another process has them and wants this one to drain
     * @throws IOException if it cannot be opened
     */
    public HandoverSocket(Path path, Transport transport, Supplier<List<FileDescriptor>> listening, Runnable handedOver)
            throws IOException {
        this.path = path;
        this.prepared = path.resolveSibling(
                path.getFileName() + "." + ProcessHandle.current().pid());
        this.listening = listening;
        this.handedOver = handedOver;
        this.account = account();
        Files.deleteIfExists(prepared);
        ListeningSocket socket;
        try {
            socket = ListeningSocket.bind(prepared, BACKLOG);
        } catch (IOException e) {
            throw new IOException("cannot open handover_socket " + path + ": " + e.getMessage(), e);
        }
        Files.setPosixFilePermissions(prepared, PosixFilePermissions.fromString("rw-------"));
        this.file = identity(prepared);
        ServerBootstrap bootstrap = new ServerBootstrap()
                .group(transport.group())
                .childHandler(new ChannelInitializer<EpollDomainSocketChannel>() {
                    @Override
                    protected void initChannel(EpollDomainSocketChannel follower) {
                        follower.pipeline().addLast(new Follower(follower));
                    }
                });
        this.channel = transport.adopt(bootstrap, socket).channel();
    }

    /** The account of this process, as its number. Source: proc(5). */
    static int account() throws IOException {
        return (Integer) Files.getAttribute(Path.of("/proc/self"), "unix:uid");
    }

    /** From now on followers find it, and nobody finds another one of that name. */
    public void publish() throws IOException {
        Files.move(prepared, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    /** Nobody can follow any longer. */
    @Override
    public void close() {
        channel.close();
        for (Path name : List.of(prepared, path)) {
            try {
                if (Files.exists(name) && identity(name).equals(file)) {
                    Files.delete(name);
                }
            } catch (IOException e) {
                LOG.warn("cannot remove {}: {}", name, e.getMessage());
            }
        }
    }

    /** By which the file is known from a follower's of the same name. */
    private static Object identity(Path name) throws IOException {
        return Files.readAttributes(name, BasicFileAttributes.class).fileKey();
    }

    /** A process that wants to follow. Confined to its channel's loop. */
    private final class Follower extends ChannelInboundHandlerAdapter {
        private final EpollDomainSocketChannel channel;
        private List<FileDescriptor> descriptors = List.of();
        private boolean heard;

        Follower(EpollDomainSocketChannel channel) {
            this.channel = channel;
        }

        @Override
        public void channelActive(ChannelHandlerContext ctx) throws IOException {
            int from = channel.peerCredentials().uid();
            heard = from == account && busy.compareAndSet(false, true);
            if (!heard) {
                LOG.warn(
                        "a process of account {} is not given the listening descriptors: {}",
                        from,
                        from == account ? "another one is" : "this one's account is " + account);
                ctx.close();
            }
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object msg) throws IOException {
            ByteBuf in = (ByteBuf) msg;
            try {
                while (heard && in.isReadable()) {
                    obey(in.readByte());
                }
            } finally {
                in.release();
            }
        }

        private void obey(byte word) throws IOException {
            switch (word) {
                case VERSION -> {
                    descriptors = listening.get();
                    answer(descriptors.size());
                }
                case SEND -> {
                    descriptors.forEach(channel::write);
                    channel.flush();
                }
                case DRAIN -> {
                    heard = false;
                    LOG.info(
                            "process {} has taken over what is listened on",
                            channel.peerCredentials().pid());
                    HandoverSocket.this.channel.close();
                    handedOver.run();
                    answer(DRAIN);
                }
                default -> {
                    LOG.warn("the process that wants to follow says what is not understood: {}", word);
                    channel.close();
                }
            }
        }

        private void answer(int word) {
            channel.writeAndFlush(channel.alloc().buffer(1).writeByte(word))
                    .addListener(ChannelFutureListener.CLOSE_ON_FAILURE);
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            if (heard) {
                busy.set(false);
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            LOG.warn("the process that wants to follow is lost: {}", cause.toString());
            ctx.close();
        }
    }
}
