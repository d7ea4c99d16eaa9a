package dev.pgproxy.server;

import io.netty.buffer.ByteBuf;

/** The note of a Describe of ours: takes what a statement gives. Called on the loop that owns the server connection. */
public interface DescriptionSink {
    /** A whole RowDescription or NoData, valid during the call. */
    void described(ByteBuf buf, int index, int length);
}
