package dev.pgproxy.protocol.backend;

import static dev.pgproxy.protocol.testing.FrameAssert.assertWrites;
import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.protocol.testing.FrameBytes;
import io.netty.buffer.ByteBuf;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

final class BackendWriterTest {
    private static FrameBytes message(char type, int length) {
        return new FrameBytes().byte1(type).int32(length);
    }

    @Test
    void authenticationRequests() {
        assertWrites(BackendWriter::authenticationOk, message('R', 8).int32(0));
        assertWrites(
                BackendWriter::authenticationCleartextPassword, message('R', 8).int32(3));
        assertWrites(
                out -> BackendWriter.authenticationMd5Password(out, new byte[] {1, 2, 3, 4}),
                message('R', 12).int32(5).int32(0x01020304));
        assertWrites(
                out -> BackendWriter.authenticationSasl(out, List.of("A", "BC")),
                message('R', 14).int32(10).string("A").string("BC").byte1(0));
        assertWrites(
                out -> BackendWriter.authenticationSaslContinue(out, "r=é"),
                message('R', 12).int32(11).text("r=é"));
        assertWrites(
                out -> BackendWriter.authenticationSaslFinal(out, "v=x"),
                message('R', 11).int32(12).text("v=x"));
    }

    @Test
    void whatFollowsAuthentication() {
        assertWrites(
                out -> BackendWriter.backendKeyData(out, 77, new byte[] {9, 8, 7, 6, 5}),
                message('K', 13).int32(77).int32(0x09080706).byte1(5));
        assertWrites(
                out -> BackendWriter.negotiateProtocolVersion(out, 3 << 16 | 2, List.of("_pq_.a")),
                message('v', 19).int32(0x30002).int32(1).string("_pq_.a"));
        assertWrites(
                out -> BackendWriter.parameterStatus(out, "TimeZone", "UTC"),
                message('S', 17).string("TimeZone").string("UTC"));
        assertWrites(
                out -> BackendWriter.readyForQuery(out, (byte) 'T'),
                message('Z', 5).byte1('T'));
    }

    @Test
    void repliesToQueries() {
        assertWrites(
                out -> BackendWriter.commandComplete(out, "SELECT 1"),
                message('C', 13).string("SELECT 1"));
        assertWrites(out -> BackendWriter.empty(out, (byte) 'n'), message('n', 4));
        assertWrites(BackendWriter::noParameters, message('t', 6).int16(0));
        assertWrites(
                out -> BackendWriter.notification(out, 5, "ch", ""),
                message('A', 12).int32(5).string("ch").string(""));
        assertWrites(
                out -> BackendWriter.dataRow(
                        out,
                        Arrays.asList("é", null, ""),
                        List.of(ColumnType.TEXT, ColumnType.TEXT, ColumnType.TEXT),
                        new short[0]),
                message('D', 20).int16(3).int32(2).text("é").int32(-1).int32(0));
        assertWrites(
                out -> BackendWriter.rowDescription(
                        out, List.of("a", "n"), List.of(ColumnType.TEXT, ColumnType.INT8), new short[0]),
                message('T', 46)
                        .int16(2)
                        .string("a")
                        .int32(0)
                        .int16(0)
                        .int32(25)
                        .int16(-1)
                        .int32(-1)
                        .int16(0)
                        .string("n")
                        .int32(0)
                        .int16(0)
                        .int32(20)
                        .int16(8)
                        .int32(-1)
                        .int16(0));
    }

    @Test
    void constantsAreWrittenAgainAndAgain() {
        for (int i = 0; i < 2; i++) {
            ByteBuf closed = ConstantReplies.CLOSE_COMPLETE.duplicate();
            assertWrites(out -> out.writeBytes(closed), message('3', 4));
            assertThat(closed.release()).isFalse();
            assertWrites(out -> out.writeBytes(ConstantReplies.PARSE_COMPLETE.duplicate()), message('1', 4));
        }
    }
}
