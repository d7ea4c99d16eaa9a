package dev.pgproxy.net;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/** Closes a connection when everything that was written to it has gone out. On any thread. */
public final class LastWords {
    /** A peer that takes nothing for so long is not waited for. */
    private static final long PATIENCE_SECONDS = 10;

    private LastWords() {}

    /** Closes behind what was written. */
    public static void after(Channel channel) {
        send(channel, Unpooled.EMPTY_BUFFER);
    }

    /** Sends these, whose ownership it takes, behind all others and closes: with io_uring a flush is not the end of it. */
    public static void send(Channel channel, ByteBuf words) {
        ChannelFuture sent = channel.writeAndFlush(words);
        if (sent.isDone()) {
            channel.close();
            return;
        }
        Future<?> late = channel.eventLoop().schedule((Runnable) channel::close, PATIENCE_SECONDS, TimeUnit.SECONDS);
        sent.addListener(done -> {
            late.cancel(false);
            channel.close();
        });
    }
}
