package dev.pgproxy.query;

import dev.pgproxy.protocol.backend.ErrorFields;
import io.netty.channel.Channel;
import org.jspecify.annotations.Nullable;

/** What the query path needs of a client's connection. Implemented by {@code client.QueryPhase}; on the client's loop. */
public interface ClientLink {
    /** Where answers go. */
    Channel channel();

    /** The process id that the client was told. */
    int processId();

    /** Nothing more is to be read until {@link #resume}: the exchange cannot go on yet. */
    void pause();

    /** The exchange has gone on. */
    void resume();

    /** Whether bytes are being read just now, so that a flush follows anyway. */
    boolean isReading();

    /** Whether the client has sent a message in part. */
    boolean isMidFrame();

    /** The exchange was refused before its Sync: what follows is ignored up to it. */
    void skipToSync();

    /** The server takes COPY data, or no longer. */
    void copying(boolean on);

    /** Nothing is running or waiting any more. */
    void settled();

    /** Tells the client something beside its answers; it goes out with the next one. */
    void notice(String message);

    /** Ends the connection with this error; null if the client has heard it already. */
    void end(@Nullable ErrorFields error);
}
