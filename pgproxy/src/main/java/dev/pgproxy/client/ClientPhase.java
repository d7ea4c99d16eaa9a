package dev.pgproxy.client;

import io.netty.buffer.ByteBuf;

/**
 * What a client's connection does at one time of its life: start-up, authentication, queries, console, or passing a
 * replication stream. {@link ClientConnection} owns the channel and hands each event to the active phase. Confined to
 * the client's loop.
 */
sealed interface ClientPhase
        permits StartupPhase, AuthenticationPhase, QueryPhase, TunnelPhase, ConsolePhase, ClosedPhase {
    /** Bytes have come; the phase owns the buffer. */
    void read(ByteBuf in);

    /** Everything that was there has been read. */
    void readComplete();

    /** The client's socket takes more, or no more. */
    void writabilityChanged();

    /** The connection has ended, or another phase follows. */
    void close();

    /** Called a few times a second. */
    void tick(long now);

    /** Whether the client can be sent away now without loss. */
    boolean isAtBoundary();
}
