package dev.pgproxy.results;

import dev.pgproxy.cache.KeyHash;
import io.netty.buffer.ByteBuf;

/** Makes keys on one event loop, out of buffers. Confined to its loop. */
public final class LoopKeys {
    /** Text and parameters of a read that are longer are not looked up. */
    public static final int MOST = 64 << 10;

    private final KeyHash hash;
    private byte[] scratch = new byte[1024];

    LoopKeys(KeyHash hash) {
        this.hash = hash;
    }

    /** Where to feed and finish the key; begun anew. */
    public KeyHash begin() {
        hash.reset();
        return hash;
    }

    /** Feeds a field that consists of two parts, of at most {@link #MOST} bytes together. */
    public void add(byte[] head, ByteBuf buf, int index, int length) {
        byte[] both = begin(head, length);
        buf.getBytes(index, both, head.length, length);
        hash.addBytes(both, 0, head.length + length);
    }

    /** The same where the second is what an array has from an index on. */
    public void add(byte[] head, byte[] tail, int index) {
        int length = tail.length - index;
        byte[] both = begin(head, length);
        System.arraycopy(tail, index, both, head.length, length);
        hash.addBytes(both, 0, head.length + length);
    }

    private byte[] begin(byte[] head, int more) {
        if (head.length + more > scratch.length) {
            scratch = new byte[MOST];
        }
        System.arraycopy(head, 0, scratch, 0, head.length);
        return scratch;
    }

    /** Feeds a field of at most {@link #MOST} bytes. */
    public void add(ByteBuf buf, int index, int length) {
        if (length > scratch.length) {
            scratch = new byte[MOST];
        }
        buf.getBytes(index, scratch, 0, length);
        hash.addBytes(scratch, 0, length);
    }
}
