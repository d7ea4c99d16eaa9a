package dev.pgproxy.protocol.frame;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * Finds message boundaries in what a socket delivers and tells a {@link FrameSink}. A typed message is
 *
 * <pre>
 *   type   : 1 byte
 *   length : Int32, of itself and the body, not of the type
 *   body   : length - 4 bytes
 * </pre>
 *
 * <p>Makes no object per message and copies only what a read has split. Passive types are hopped over without a call:
 * that is how a row costs five nanoseconds. Confined to one event loop. Source: manual, "Message Formats".
 */
public final class FrameReader {
    /** Bytes of type and length. */
    public static final int HEADER = 5;

    /** A streamed message is announced when this much of it is there: enough for every name it may start with. */
    public static final int HEAD = 8192;

    private final FrameSink sink;
    private final ByteBufAllocator allocator;
    private final ArrayDeque<ByteBuf> held = new ArrayDeque<>(0);

    private long passive;
    private int skip;
    private @Nullable ByteBuf carry;
    private boolean paused;
    private boolean reading;
    private boolean closed;

    /** A reader that tells {@code sink}. */
    public FrameReader(FrameSink sink, ByteBufAllocator allocator) {
        this.sink = sink;
        this.allocator = allocator;
    }

    /** The bit of a type in a set of passive types. Types are ASCII letters or digits 1 to 3, which have no bit. */
    public static long bit(byte type) {
        return type >= 64 ? 1L << (type - 64) : 0;
    }

    /** Sets the types that are passed on without a call, from the next message on. */
    public void passive(long types) {
        passive = types;
    }

    /** Whether the last message has been passed on in part only. */
    public boolean midFrame() {
        return skip > 0;
    }

    /** Whether bytes wait here that have not been told to the sink. */
    public boolean holdsBytes() {
        return carry != null || !held.isEmpty();
    }

    /** Whether whole buffers wait here because of {@link #pause}. */
    public boolean holdsBuffers() {
        return !held.isEmpty();
    }

    /** Tells nothing more until {@link #resume}; may be called from within a callback. */
    public void pause() {
        paused = true;
    }

    /** Whether paused. */
    public boolean isPaused() {
        return paused;
    }

    /** Goes on after {@link #pause}, with the bytes that came in between first. */
    public void resume() {
        paused = false;
        if (reading) {
            return;
        }
        drain();
    }

    private void drain() {
        while (!paused && !closed && !held.isEmpty()) {
            process(held.removeFirst());
        }
    }

    /**
     * Takes what a socket delivered, and its ownership.
     *
     * @throws ProtocolViolation if the bytes cannot be messages; the reader is then closed
     */
    public void read(ByteBuf in) {
        if (closed) {
            in.release();
        } else if (paused || reading || !held.isEmpty()) {
            held.addLast(in);
        } else {
            process(in);
            drain(); // what was read within a callback
        }
    }

    /** Forgets and releases everything. */
    public void close() {
        closed = true;
        if (carry != null) {
            carry.release();
            carry = null;
        }
        for (ByteBuf buf = held.pollFirst(); buf != null; buf = held.pollFirst()) {
            buf.release();
        }
    }

    /** Takes out the bytes not yet told, in order, for a reader of another kind (a tunnel). The caller owns them. */
    public ByteBuf takeRest() {
        ByteBuf rest = allocator.buffer();
        if (carry != null) {
            rest.writeBytes(carry);
        }
        for (ByteBuf buf : held) {
            rest.writeBytes(buf, buf.readerIndex(), buf.readableBytes());
        }
        close();
        return rest;
    }

    private void process(ByteBuf in) {
        reading = true;
        boolean keep = false;
        try {
            int index = in.readerIndex();
            int end = in.writerIndex();
            if (carry != null) {
                index = fill(carry, in, index, end);
            }
            if (carry == null && !closed) {
                index = paused ? index : scan(in, index, end);
                keep = index < end && !closed && hold(in, index);
            }
        } catch (ProtocolViolation e) {
            close(); // where the next message would begin is unknown
            throw e;
        } finally {
            reading = false;
            if (!keep) {
                in.release();
            }
        }
    }

    /** Walks over the messages of one buffer; returns the index of the first byte that was not told. */
    private int scan(ByteBuf in, int from, int end) {
        int i = from;
        sink.begin(in, i);
        if (skip > 0) {
            int n = Math.min(skip, end - i);
            skip -= n;
            i += n;
        }
        while (!paused && !closed && end - i >= HEADER) {
            byte type = in.getByte(i);
            int length = total(type, in.getInt(i + 1));
            boolean whole = end - i >= length;
            if ((passive & bit(type)) != 0) {
                if (!whole) {
                    skip = length - (end - i);
                    i = end;
                    break;
                }
                i += length;
            } else if (whole) {
                int at = i;
                i += length;
                sink.frame(type, in, at, length);
            } else if (sink.streams(type, length) && end - i >= HEAD) {
                int at = i;
                skip = length - (end - i);
                i = end;
                sink.head(type, in, at, length);
                break;
            } else {
                break;
            }
        }
        sink.end(in, i);
        return i;
    }

    /** Keeps what was not told: the buffer itself while paused, else a copy of the few bytes; true if itself. */
    private boolean hold(ByteBuf in, int index) {
        if (paused) {
            in.readerIndex(index);
            held.addFirst(in);
            return true;
        }
        int n = in.writerIndex() - index;
        carry = allocator.buffer(Math.max(n, 64)).writeBytes(in, index, n);
        return false;
    }

    /** Completes the message that was split; returns how far {@code in} was used. */
    private int fill(ByteBuf split, ByteBuf in, int from, int end) {
        int i = from;
        if (split.writerIndex() < HEADER) {
            int n = Math.min(HEADER - split.writerIndex(), end - i);
            split.writeBytes(in, i, n);
            i += n;
            if (split.writerIndex() < HEADER) {
                return i;
            }
        }
        byte type = split.getByte(0);
        int length = total(type, split.getInt(1));
        boolean unseen = (passive & bit(type)) != 0;
        int need = unseen ? HEADER : length;
        if (!unseen && sink.streams(type, length)) {
            need = Math.min(length, HEAD);
        }
        int n = Math.min(need - split.writerIndex(), end - i);
        if (n > 0) {
            // doubled: a long message is not copied at each read, and one that only announces its length takes nothing
            split.ensureWritable(Math.max(n, Math.min(split.writerIndex(), need - split.writerIndex())));
            split.writeBytes(in, i, n);
            i += n;
        }
        if (split.writerIndex() >= need) {
            tell(split, type, length, unseen);
        }
        return i;
    }

    private void tell(ByteBuf split, byte type, int length, boolean unseen) {
        carry = null;
        try {
            int have = split.writerIndex();
            sink.begin(split, 0);
            skip = length - have;
            if (unseen) {
                // begin and end alone pass it on
            } else if (have < length) {
                sink.head(type, split, 0, length);
            } else {
                sink.frame(type, split, 0, length);
            }
            sink.end(split, have);
        } finally {
            split.release();
        }
    }

    private static int total(byte type, int length) {
        if (length < 4 || length == Integer.MAX_VALUE) {
            throw new ProtocolViolation("invalid message length " + length + " in a message of type "
                    + (type > 32 && type < 127 ? "'" + (char) type + "'" : String.valueOf(type & 0xff)));
        }
        return length + 1;
    }
}
