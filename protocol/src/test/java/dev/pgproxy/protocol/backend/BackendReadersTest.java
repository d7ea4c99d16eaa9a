package dev.pgproxy.protocol.backend;

import static dev.pgproxy.protocol.testing.FrameAssert.assertWrites;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pgproxy.protocol.frame.ProtocolViolation;
import dev.pgproxy.protocol.testing.FrameBytes;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Errors, rows and tags, as far as pgproxy reads them. */
final class BackendReadersTest {
    private static final int BEFORE = 2;

    /** The message at index {@link #BEFORE}, with other bytes around it. */
    private static ByteBuf at(FrameBytes message) {
        return Unpooled.buffer().writeShort(0x4343).writeBytes(message.bytes()).writeBytes(new byte[] {'x', 'y', 0});
    }

    private static int length(FrameBytes message) {
        return message.bytes().length;
    }

    @Test
    void errorFieldsAreReadAndWrittenInOrder() {
        FrameBytes message = new FrameBytes()
                .byte1('E')
                .int32(44)
                .byte1('S')
                .string("FEHLER")
                .byte1('V')
                .string("ERROR")
                .byte1('C')
                .string("42601")
                .byte1('M')
                .string("né")
                .byte1('H')
                .string("do")
                .byte1('R')
                .string("yyerror")
                .byte1(0);
        ErrorFields error = ErrorFields.read(at(message), BEFORE, length(message));
        assertThat(error.code()).isEqualTo("42601");
        assertThat(error.message()).isEqualTo("né");
        assertThat(error.hint()).isEqualTo("do");
        assertThat(error.isFatal()).isFalse();
        assertThat(error.asFatal().isFatal()).isTrue();
        assertThat(error.fields().keySet()).containsExactly('S', 'V', 'C', 'M', 'H', 'R');
        assertThat(error).hasToString("42601: né");
        byte[] written = message.bytes();
        written[4] = (byte) (written.length - 1);
        ByteBuf out = Unpooled.buffer();
        error.write(out);
        assertThat(out).isEqualTo(Unpooled.wrappedBuffer(written));
    }

    @Test
    void severityIsThatWhichIsNotTranslated() {
        FrameBytes message = new FrameBytes()
                .byte1('E')
                .int32(0)
                .byte1('S')
                .string("ERROR")
                .byte1('V')
                .string("PANIC");
        assertThat(ErrorFields.read(at(message), BEFORE, length(message)).isFatal())
                .isTrue();
    }

    @Test
    void aFieldWithoutEndIsAViolationButNotInABeginning() {
        FrameBytes message = new FrameBytes()
                .byte1('E')
                .int32(1 << 20)
                .byte1('V')
                .string("FATAL")
                .byte1('C')
                .string("57P01")
                .byte1('M')
                .text("a long tex");
        ByteBuf buf = Unpooled.wrappedBuffer(message.bytes());
        assertThatThrownBy(() -> ErrorFields.read(buf, 0, length(message))).isInstanceOf(ProtocolViolation.class);
        ErrorFields error = ErrorFields.readBeginning(buf, 0);
        assertThat(error.isFatal()).isTrue();
        assertThat(error.code()).isEqualTo("57P01");
        assertThat(error.message()).isEmpty();
    }

    @Test
    void errorsOfOurOwnHaveTheFieldsOfPostgres() {
        assertWrites(
                ErrorFields.fatal(SqlState.ADMIN_SHUTDOWN, "m", "h")::write,
                new FrameBytes()
                        .byte1('E')
                        .int32(32)
                        .byte1('S')
                        .string("FATAL")
                        .byte1('V')
                        .string("FATAL")
                        .byte1('C')
                        .string("57P01")
                        .byte1('M')
                        .string("m")
                        .byte1('H')
                        .string("h")
                        .byte1(0));
        assertWrites(
                out -> ErrorFields.notice("m", null).write(out, (byte) 'N'),
                new FrameBytes()
                        .byte1('N')
                        .int32(31)
                        .byte1('S')
                        .string("NOTICE")
                        .byte1('V')
                        .string("NOTICE")
                        .byte1('C')
                        .string("00000")
                        .byte1('M')
                        .string("m")
                        .byte1(0));
    }

    @Test
    void rowsAreReadAsTexts() {
        FrameBytes row = new FrameBytes()
                .byte1('D')
                .int32(20)
                .int16(3)
                .int32(2)
                .text("é")
                .int32(-1)
                .int32(0);
        assertThat(RowView.texts(at(row), BEFORE, length(row))).isEqualTo(Arrays.asList("é", null, ""));
    }

    @Test
    void rowsThatLieAreViolations() {
        FrameBytes[] lies = {
            new FrameBytes().byte1('D').int32(4),
            new FrameBytes().byte1('D').int32(6).int16(-1),
            new FrameBytes().byte1('D').int32(6).int16(1),
            new FrameBytes().byte1('D').int32(8).int16(1).int16(0),
            new FrameBytes().byte1('D').int32(11).int16(1).int32(2).byte1('x'),
            new FrameBytes().byte1('D').int32(10).int16(1).int32(Integer.MAX_VALUE),
        };
        for (FrameBytes lie : lies) {
            assertThatThrownBy(() -> RowView.texts(at(lie), BEFORE, length(lie)))
                    .isInstanceOf(ProtocolViolation.class)
                    .hasMessage("invalid DataRow");
        }
    }

    @Test
    void theTagOfACommandIsItsText() {
        FrameBytes tag = new FrameBytes().byte1('C').int32(15).string("INSERT 0 1");
        assertThat(CommandTag.read(at(tag), BEFORE, length(tag))).isEqualTo("INSERT 0 1");
        FrameBytes lie = new FrameBytes().byte1('C').int32(4);
        assertThatThrownBy(() -> CommandTag.read(at(lie), BEFORE, length(lie))).isInstanceOf(ProtocolViolation.class);
    }
}
