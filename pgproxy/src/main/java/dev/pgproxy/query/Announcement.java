package dev.pgproxy.query;

import dev.pgproxy.server.ServerConnection;
import io.netty.channel.EventLoop;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What an exchange may write is told to the other instances before it is sent. One per client, confined to its loop.
 */
final class Announcement {
    /** Longer than others can serve hits without having heard of a write. */
    private static final long PATIENCE_MILLIS = 3000;

    private final @Nullable Routing routing;
    private final EventLoop loop;
    private int last;

    Announcement(@Nullable Routing routing, EventLoop loop) {
        this.routing = routing;
        this.loop = loop;
    }

    /** With other instances a write is told by itself: the outcome of what runs must not be taken for its own. */
    boolean waits(ServerConnection to) {
        return routing != null && routing.hasOtherInstances() && !to.replies().isEmpty();
    }

    /**
     * True if the exchange may be sent to the primary at once: it writes nothing, or nobody else has to know.
     *
     * @param told else runs on the loop when they know, or cannot be waited for any longer
     */
    boolean isKnown(Exchange exchange, ServerConnection to, Runnable told) {
        int number = ++last;
        Runnable once = () -> {
            if (number == last) {
                last++;
                told.run();
            }
        };
        if (routing == null || routing.writes().sending(exchange, to, () -> loop.execute(once))) {
            return true;
        }
        loop.schedule(once, PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
        return false;
    }
}
