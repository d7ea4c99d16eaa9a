package dev.pgproxy.protocol.frame;

import io.netty.buffer.ByteBuf;

/**
 * Receives what a {@link FrameReader} finds. Confined to the event loop of its reader.
 *
 * <p><b>Ownership of buffers.</b> The reader owns every buffer it passes. A sink may read a buffer during the callback;
 * what it wants to keep or forward it retains itself (usually {@code buf.retainedSlice(index, length)}) and is then the
 * one to release. This is the only place where the rule is written.
 *
 * <p><b>Order of calls.</b> For each buffer {@link #begin}, any number of {@link #frame} and at most one {@link #head},
 * then {@link #end}. Bytes between {@code begin} and {@code end} for which no call was made belong to <i>passive</i>
 * frames (see {@link FrameReader#passive(long)}) or to the rest of a streamed frame: they are to be passed on unseen.
 * A frame that was split between reads arrives whole, in a buffer of its own. Who passes nothing on needs {@code frame} alone.
 */
public interface FrameSink {
    /** A buffer starts; its first byte to consider is at {@code index}. */
    default void begin(ByteBuf buf, int index) {}

    /**
     * One whole message.
     *
     * @param type the type byte
     * @param buf holds it
     * @param index of the type byte
     * @param length of the whole message: type byte, length field and body
     */
    void frame(byte type, ByteBuf buf, int index, int length);

    /**
     * The beginning of a message that {@link #streams}: at least {@link FrameReader#HEAD} bytes of it. The rest follows
     * unseen.
     *
     * @param length of the whole message
     */
    default void head(byte type, ByteBuf buf, int index, int length) {}

    /** Everything before {@code index} has been seen; bytes behind it will come again. */
    default void end(ByteBuf buf, int index) {}

    /**
     * Asked about a message that is not yet whole: may it be streamed ({@code true}), or has it to be gathered?
     *
     * @throws ProtocolViolation if a message of this type and length is not accepted at all
     */
    boolean streams(byte type, int length);
}
