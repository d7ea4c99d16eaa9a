package dev.pgproxy.protocol.testing;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.util.function.Consumer;

/** Compares what a writer wrote with bytes written by hand. Stateless. */
public final class FrameAssert {
    private FrameAssert() {}

    /** The writer appends exactly these bytes, wherever it starts. */
    public static void assertWrites(Consumer<ByteBuf> writer, FrameBytes expected) {
        ByteBuf out = Unpooled.buffer().writeInt(0x7f7f7f7f);
        writer.accept(out);
        out.skipBytes(4);
        assertThat(ByteBufUtil.hexDump(out)).isEqualTo(ByteBufUtil.hexDump(expected.bytes()));
    }
}
