package dev.pgproxy.demo;

import java.io.Serial;
import org.jspecify.annotations.Nullable;

/** A cluster that cannot start or stop. The message is a sentence for the person at the terminal. Immutable. */
public final class ClusterException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1;

    ClusterException(String message) {
        super(message);
    }

    ClusterException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
