package dev.pgproxy.http;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.handler.codec.http.DefaultHttpContent;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells a few listeners again and again what the tables of the console hold: it asks only while somebody listens, and once for
 * all of them. Each has at most one event that it has not taken; who takes too long is sent away. Confined to the thread of the
 * server. Source: server-sent events, HTML Living Standard 9.2.
 */
final class Live {
    private static final Logger LOG = LoggerFactory.getLogger(Live.class);

    /** One of them. */
    private static final class Listener {
        /** Whether it has not taken the last event, and since when. */
        private boolean behind;

        private long since;
    }

    private final Supplier<CompletionStage<String>> tables;
    private final HttpLimits limits;
    private final EventLoop loop;
    private final Map<Channel, Listener> listeners = new HashMap<>();
    private boolean asking;
    private boolean failing;

    /** @param tables what is told, without line feeds */
    Live(Supplier<CompletionStage<String>> tables, HttpLimits limits, EventLoop loop) {
        this.tables = tables;
        this.limits = limits;
        this.loop = loop;
    }

    /** Whether one more may listen. */
    boolean hasRoom() {
        return listeners.size() < limits.listeners();
    }

    /** From now on; the head of the answer is written already. */
    void add(Channel channel) {
        listeners.put(channel, new Listener());
        if (!asking) {
            ask();
        }
    }

    /** It is closed. */
    void remove(Channel channel) {
        listeners.remove(channel);
    }

    private void ask() {
        asking = true;
        tables.get()
                .toCompletableFuture()
                .orTimeout(limits.answer().toMillis(), TimeUnit.MILLISECONDS)
                .whenCompleteAsync(this::tell, loop);
    }

    private void tell(@Nullable String text, @Nullable Throwable failure) {
        String event = text == null
                ? "event: problem\ndata: \"the log says why\"\n\n"
                : "event: tables\ndata: " + text + "\n\n";
        if (text == null && !failing) {
            LOG.warn("http: what the page shows cannot be read", failure);
        }
        failing = text == null;
        ByteBuf bytes = ByteBufUtil.writeUtf8(ByteBufAllocator.DEFAULT, event);
        for (Channel channel : List.copyOf(listeners.keySet())) {
            Listener listener = listeners.get(channel);
            if (listener != null) {
                tell(channel, listener, bytes);
            }
        }
        bytes.release();
        if (!loop.isShuttingDown()) {
            loop.schedule(this::again, limits.every().toMillis(), TimeUnit.MILLISECONDS);
        }
    }

    private void tell(Channel channel, Listener listener, ByteBuf event) {
        if (listener.behind) {
            if (System.nanoTime() - listener.since > limits.reading().toNanos()) {
                channel.close();
            }
            return;
        }
        listener.behind = true;
        listener.since = System.nanoTime();
        channel.writeAndFlush(new DefaultHttpContent(event.retainedDuplicate()))
                .addListener(written -> listener.behind = false);
    }

    private void again() {
        asking = false;
        if (!listeners.isEmpty()) {
            ask();
        }
    }
}
