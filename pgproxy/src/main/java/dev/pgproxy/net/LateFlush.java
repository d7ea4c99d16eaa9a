package dev.pgproxy.net;

import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.channel.IoEventLoop;
import io.netty.channel.uring.IoUringIoHandler;
import io.netty.util.concurrent.FastThreadLocal;
import java.util.ArrayDeque;

/**
 * Flushes channels at the end of their event loop's turn, when everything that had arrived has been read: the system
 * calls of a kind then follow each other, and the processes that they wake do not run before the turn is over (5 to 7 %
 * of the processor time of a short query, docs/performance.md). io_uring collects its submissions by itself. One for
 * each event loop, and confined to it.
 */
public final class LateFlush implements Runnable {
    private static final FastThreadLocal<LateFlush> OF_LOOP = new FastThreadLocal<>() {
        @Override
        protected LateFlush initialValue() {
            return new LateFlush();
        }
    };

    private final ArrayDeque<Channel> written = new ArrayDeque<>();

    private LateFlush() {}

    /** Flushes {@code channel} by the end of the turn of {@code loop}, which calls. Who closes it has to flush before. */
    public static void of(Channel channel, EventLoop loop) {
        if (loop instanceof IoEventLoop io && io.isIoType(IoUringIoHandler.class)) {
            channel.flush();
            return;
        }
        LateFlush late = OF_LOOP.get();
        if (late.written.isEmpty()) {
            loop.execute(late);
        }
        late.written.addLast(channel);
    }

    @Override
    public void run() {
        for (Channel next = written.pollFirst(); next != null; next = written.pollFirst()) {
            next.flush();
        }
    }
}
