package dev.pgproxy.protocol.frame;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import org.junit.jupiter.api.Test;

final class CStringTest {
    private final ByteBuf buf = Unpooled.copiedBuffer("añb\0\0rest", UTF_8);

    @Test
    void aTextEndsAtItsTerminator() {
        assertThat(CString.read(buf, 0, buf.writerIndex())).isEqualTo("añb");
        assertThat(CString.end(buf, 0, buf.writerIndex())).isEqualTo(4);
        assertThat(CString.find(buf, 0, buf.writerIndex())).isEqualTo(4);
        assertThat(CString.read(buf, 5, buf.writerIndex())).isEmpty();
    }

    @Test
    void readingMovesBehindTheTerminator() {
        assertThat(CString.read(buf)).isEqualTo("añb");
        assertThat(CString.read(buf)).isEmpty();
        assertThat(buf.toString(UTF_8)).isEqualTo("rest");
    }

    @Test
    void aTextWithoutTerminatorIsAViolation() {
        assertThatThrownBy(() -> CString.read(buf, 6, buf.writerIndex()))
                .isInstanceOf(ProtocolViolation.class)
                .hasMessage("invalid string in message");
        assertThatThrownBy(() -> CString.end(buf, 0, 4)).isInstanceOf(ProtocolViolation.class);
        assertThat(CString.find(buf, 0, 4)).isEqualTo(-1);
        assertThat(CString.find(buf, 5, 4)).isEqualTo(-1);
        assertThat(CString.find(buf, 4, 4)).isEqualTo(-1);
    }

    @Test
    void aZeroWithinATextIsNotWritten() {
        ByteBuf out = Unpooled.buffer();
        CString.write(out, "a\0é");
        assertThat(out).isEqualTo(Unpooled.copiedBuffer("aé\0", UTF_8));
    }
}
