package dev.pgproxy.server;

import dev.pgproxy.protocol.backend.ErrorFields;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Takes the reply to a query of our own. Called on the loop that owns the server connection. */
public interface OwnReply {
    /** One row, in text format. */
    default void row(List<@Nullable String> values) {}

    /**
     * ReadyForQuery has come, or the connection was lost.
     *
     * @param error the first error, if any
     * @param status the transaction status; {@code I} when lost
     */
    void done(@Nullable ErrorFields error, byte status);
}
