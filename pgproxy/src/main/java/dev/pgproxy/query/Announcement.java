package dev.pgproxy.query;

import dev.pgproxy.server.ServerConnection;
import io.netty.channel.EventLoop;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What an exchange may write is told to the other instances before it is sent. One per client, confined to its loop.
 */
final class Announcement {
    /** Longer than others can serve hits without having heard of a write. */
    private static final long PATIENCE_MILLIS = 3000;

    private final @Nullable Routing routing;
    private final EventLoop loop;
    private final Consumer<ServerConnection> told;
    private final Supplier<Runnable> confirmation = this::confirmation;
    private @Nullable ServerConnection server;
    private int last;

    /**
     * For one client.
     *
     * @param told runs on the loop when the others know, or cannot be waited for any longer, with the server that waits
     */
    Announcement(@Nullable Routing routing, EventLoop loop, Consumer<ServerConnection> told) {
        this.routing = routing;
        this.loop = loop;
        this.told = told;
    }

    /** With other instances a write is told by itself: the outcome of what runs must not be taken for its own. */
    boolean waits(ServerConnection to) {
        return routing != null && routing.hasOtherInstances() && !to.replies().isEmpty();
    }

    /** True if the exchange may be sent to the primary at once: it writes nothing, or nobody else has to know. */
    boolean isKnown(Exchange exchange, ServerConnection to) {
        last++;
        server = to;
        if (routing == null || routing.writes().sending(exchange, to, confirmation)) {
            return true;
        }
        loop.schedule(once(), PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
        return false;
    }

    private Runnable confirmation() {
        Runnable once = once();
        return () -> loop.execute(once);
    }

    /** Tells of the last exchange, unless that has been told, or another follows. */
    private Runnable once() {
        int number = last;
        ServerConnection to = Objects.requireNonNull(server);
        return () -> {
            if (number == last) {
                last++;
                told.accept(to);
            }
        };
    }
}
