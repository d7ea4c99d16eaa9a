package dev.pgproxy.client;

import io.netty.buffer.ByteBuf;

/** After the end: whatever still comes is dropped. Stateless. */
record ClosedPhase() implements ClientPhase {
    @Override
    public void read(ByteBuf in) {
        in.release();
    }

    @Override
    public void readComplete() {}

    @Override
    public void writabilityChanged() {}

    @Override
    public void close() {}

    @Override
    public void tick(long now) {}

    @Override
    public boolean isAtBoundary() {
        return true;
    }
}
