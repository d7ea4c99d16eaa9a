package dev.pgproxy.query;

import org.jspecify.annotations.Nullable;

/** What a client has sent behind an exchange that is sent once more. Confined to the client's loop. */
final class Behind {
    private @Nullable Exchange exchange;
    private boolean waits;

    /** @param isComplete whether it is to be sent when its turn comes, not only collected so far */
    void keep(Exchange collected, boolean isComplete) {
        exchange = collected;
        waits = isComplete;
    }

    /** What is to be collected or sent next: what was kept, or else this. */
    Exchange orElse(Exchange next) {
        Exchange kept = exchange;
        exchange = null;
        return kept == null ? next : kept;
    }

    /** Whether what was taken last is to be sent. */
    boolean takeComplete() {
        boolean complete = waits;
        waits = false;
        return complete;
    }
}
