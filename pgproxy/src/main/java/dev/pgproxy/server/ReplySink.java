package dev.pgproxy.server;

import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.sql.StatementFacts;
import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/**
 * Takes what a leased server says, in its order. Implemented by {@code query.Relay}. Called on the loop that owns the
 * server connection. Buffers as in {@link dev.pgproxy.protocol.frame.FrameSink}: who keeps bytes retains them.
 */
public interface ReplySink {
    /** Bytes for the client. */
    void forward(ByteBuf buf, int index, int length);

    /** An answer of ours is due: to the message of this entry, which the server was not sent. */
    void answer(int entry);

    /** A statement has completed, and its tag is {@code tag}. Called only for statements that change the session. */
    void completed(StatementFacts statement, String tag);

    /**
     * A message that ends a statement of the client's has come: CommandComplete, or what else an Execute may end with.
     *
     * @param unforwarded bytes up to its end that are still to be forwarded
     */
    default void ended(ByteBuf buf, int index, int length, int unforwarded) {}

    /** A statement sent in place of the client's has completed; its tag was taken out. */
    void substituted(Substitute substitute);

    /** The server's socket takes more. */
    void writable();

    /**
     * An ErrorResponse to the message with this note has come; true takes it out: the sink will ask again, and ReadyForQuery
     * is not for the client either.
     */
    default boolean repeats(ErrorFields error, @Nullable Object note) {
        return false;
    }

    /**
     * An ErrorResponse is about to be forwarded; returns what to send in its place, or null to forward it.
     *
     * @param note of the message that failed
     */
    @Nullable
    ErrorFields failed(ErrorFields error, @Nullable Object note);

    /** An error in place of the server's own words. */
    void say(ErrorFields error);

    /** A message of the client that concerned this was ignored by the server after an error. */
    void dropped(int entry, @Nullable Object note);

    /** A ParameterStatus has come; false takes it out, then the sink tells the client itself, when it is due. */
    boolean reported(String name, String value);

    /** The server waits for COPY data. */
    void copyIn();

    /** A notification has come; it was taken out. Of a message this short nothing is ever missing. */
    default void notified(ByteBuf buf, int index, int length) {}

    /** A ReadyForQuery is about to be forwarded; true takes it out, then the sink sends it itself, when it may. */
    default boolean withholds(byte status) {
        return false;
    }

    /** A ReadyForQuery was forwarded or withheld; the last use of this sink may be within. */
    void ready(byte status);

    /** What a socket read brought has been told: time to flush. */
    void burstEnd();

    /** The connection is gone; {@code error} is what the server said before, if anything. */
    void lost(@Nullable ErrorFields error);
}
