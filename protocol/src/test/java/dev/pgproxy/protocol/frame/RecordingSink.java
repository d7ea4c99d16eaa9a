package dev.pgproxy.protocol.frame;

import io.netty.buffer.ByteBuf;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * Writes down what a {@link FrameReader} tells: every byte once, in order, and where each message began. Streams Bind
 * and CopyData, gathers all else, and refuses messages of type {@code !}. Confined to one thread.
 */
final class RecordingSink implements FrameSink {
    /** A message that was told: where it began among all bytes, and whether it was there whole. */
    record Told(int offset, char type, int length, boolean whole) {}

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final List<Told> told = new ArrayList<>();
    private Consumer<Told> then = each -> {};
    private int runStart;
    private boolean open;

    /** Calls {@code action} within the callback of each message. */
    void then(Consumer<Told> action) {
        then = action;
    }

    List<Told> told() {
        return told;
    }

    byte[] bytes() {
        return bytes.toByteArray();
    }

    @Override
    public void begin(ByteBuf buf, int index) {
        check(!open, "begin within begin and end");
        open = true;
        runStart = index;
    }

    @Override
    public void frame(byte type, ByteBuf buf, int index, int length) {
        check(buf.writerIndex() >= index + length && buf.getByte(index) == type, "a whole message");
        unseen(buf, index);
        tell(new Told(bytes.size(), (char) type, length, true), () -> unseen(buf, index + length));
    }

    @Override
    public void head(byte type, ByteBuf buf, int index, int length) {
        check(buf.writerIndex() - index >= FrameReader.HEAD, "enough of a streamed message");
        check(buf.writerIndex() < index + length, "no head of a whole message");
        unseen(buf, index);
        tell(new Told(bytes.size(), (char) type, length, false), () -> unseen(buf, buf.writerIndex()));
    }

    private void tell(Told message, Runnable copy) {
        copy.run();
        told.add(message);
        then.accept(message);
    }

    @Override
    public void end(ByteBuf buf, int index) {
        check(open, "begin before end");
        open = false;
        unseen(buf, index);
    }

    @Override
    public boolean streams(byte type, int length) {
        if (type == '!') {
            throw new ProtocolViolation("refused");
        }
        return type == FrontendType.BIND || type == FrontendType.COPY_DATA;
    }

    private void unseen(ByteBuf buf, int to) {
        check(to >= runStart, "no step back");
        byte[] copy = new byte[to - runStart];
        buf.getBytes(runStart, copy);
        bytes.writeBytes(copy);
        runStart = to;
    }

    private static void check(boolean condition, String expected) {
        if (!condition) {
            throw new AssertionError("expected " + expected);
        }
    }
}
