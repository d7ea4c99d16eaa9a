package dev.pgproxy.query;

import dev.pgproxy.protocol.frame.BackendType;
import dev.pgproxy.protocol.frame.FrameReader;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import java.util.ArrayList;
import java.util.List;

/**
 * What a server says before its first row, held back from the client as long as another answer may take its place.
 * Confined to the client's loop.
 */
final class HeldReplies {
    private final Channel client;
    private final boolean asides;
    private final List<ByteBuf> held = new ArrayList<>(2);
    private boolean holding;

    /** @param asides whether notices and reported parameters are held back too; else they end it, as a row does */
    HeldReplies(Channel client, boolean asides) {
        this.client = client;
        this.asides = asides;
    }

    /** The answer that begins now is held back. */
    void begin() {
        holding = true;
    }

    /** Whether the client has got nothing of the answer. */
    boolean isHolding() {
        return holding;
    }

    /** Bytes for the client; true if they are held back, else all that was held has been passed on. */
    boolean holds(ByteBuf buf, int index, int length) {
        if (!holding) {
            return false;
        }
        if (isPreface(buf, index, index + length)) {
            held.add(buf.retainedSlice(index, length));
            return true;
        }
        pass();
        return false;
    }

    /** Whether there are only whole messages of those that come before the first row. */
    private boolean isPreface(ByteBuf buf, int from, int to) {
        int at = from;
        while (at + FrameReader.HEADER <= to) {
            boolean early = switch (buf.getByte(at)) {
                case BackendType.PARSE_COMPLETE,
                        BackendType.BIND_COMPLETE,
                        BackendType.CLOSE_COMPLETE,
                        BackendType.NO_DATA,
                        BackendType.PARAMETER_DESCRIPTION,
                        BackendType.ROW_DESCRIPTION -> true;
                case BackendType.NOTICE_RESPONSE, BackendType.PARAMETER_STATUS -> asides;
                default -> false;
            };
            if (!early) {
                return false;
            }
            at += 1 + buf.getInt(at + 1);
        }
        return at == to;
    }

    /** The client gets what was held, and all that follows. */
    void pass() {
        holding = false;
        if (!held.isEmpty()) { // an iterator is garbage
            for (ByteBuf buf : held) {
                client.write(buf, client.voidPromise());
            }
            held.clear();
        }
    }

    /** The client never gets what was held. */
    void drop() {
        holding = false;
        held.forEach(ByteBuf::release);
        held.clear();
    }
}
