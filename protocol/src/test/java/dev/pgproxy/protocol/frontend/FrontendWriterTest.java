package dev.pgproxy.protocol.frontend;

import static dev.pgproxy.protocol.testing.FrameAssert.assertWrites;

import dev.pgproxy.protocol.testing.FrameBytes;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class FrontendWriterTest {
    private static FrameBytes message(char type, int length) {
        return new FrameBytes().byte1(type).int32(length);
    }

    @Test
    void untypedMessages() {
        Map<String, String> parameters = new LinkedHashMap<>();
        parameters.put("user", "é");
        parameters.put("a", "");
        assertWrites(
                out -> FrontendWriter.startup(out, 3 << 16, parameters),
                new FrameBytes()
                        .int32(20)
                        .int32(0x30000)
                        .string("user")
                        .string("é")
                        .string("a")
                        .string("")
                        .byte1(0));
        assertWrites(
                FrontendWriter::sslRequest,
                new FrameBytes().int32(8).int16(1234).int16(5679));
        assertWrites(
                out -> FrontendWriter.cancelRequest(out, 3, new byte[] {1, 2}),
                new FrameBytes().int32(14).int16(1234).int16(5678).int32(3).int16(0x0102));
    }

    @Test
    void passwords() {
        assertWrites(out -> FrontendWriter.password(out, "pw"), message('p', 7).string("pw"));
        assertWrites(
                out -> FrontendWriter.passwordBytes(out, new byte[] {1, 2}),
                message('p', 6).int16(0x0102));
        assertWrites(
                out -> FrontendWriter.saslInitial(out, "M", new byte[] {7}),
                message('p', 11).string("M").int32(1).byte1(7));
    }

    @Test
    void queries() {
        byte[] name = {'n', 'm'};
        assertWrites(
                out -> FrontendWriter.query(out, "SELECT 'é'"), message('Q', 16).string("SELECT 'é'"));
        assertWrites(
                out -> FrontendWriter.parse(out, "n", "S"),
                message('P', 10).string("n").string("S").int16(0));
        assertWrites(
                out -> FrontendWriter.parse(out, name, new byte[] {'S', 0, 0, 0}),
                message('P', 11).string("nm").string("S").int16(0));
        assertWrites(
                out -> FrontendWriter.close(out, FrontendWriter.STATEMENT, name),
                message('C', 8).byte1('S').string("nm"));
        assertWrites(
                out -> FrontendWriter.describe(out, FrontendWriter.PORTAL, new byte[0]),
                message('D', 6).byte1('P').string(""));
        assertWrites(FrontendWriter::sync, message('S', 4));
        assertWrites(FrontendWriter::terminate, message('X', 4));
        assertWrites(out -> FrontendWriter.copyFail(out, "no"), message('f', 7).string("no"));
    }
}
