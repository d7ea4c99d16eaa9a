package dev.pgproxy.console;

import io.netty.channel.EventLoop;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** Waits without blocking until something is so, by looking at it again and again on a loop. */
final class Until {
    private static final long LOOK_MILLIS = 20;

    private Until() {}

    /** Completes with true once {@code done} is so; with false as soon as {@code over} is so, if that comes first. */
    static CompletionStage<Boolean> so(BooleanSupplier done, BooleanSupplier over, EventLoop loop) {
        CompletableFuture<Boolean> result = new CompletableFuture<>();
        look(done, over, loop, result);
        return result;
    }

    private static void look(
            BooleanSupplier done, BooleanSupplier over, EventLoop loop, CompletableFuture<Boolean> result) {
        if (done.getAsBoolean()) {
            result.complete(true);
        } else if (over.getAsBoolean()) {
            result.complete(false);
        } else {
            loop.schedule(() -> look(done, over, loop, result), LOOK_MILLIS, TimeUnit.MILLISECONDS);
        }
    }
}
