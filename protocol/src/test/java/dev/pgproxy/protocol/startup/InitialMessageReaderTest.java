package dev.pgproxy.protocol.startup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pgproxy.protocol.backend.SqlState;
import dev.pgproxy.protocol.frame.ProtocolViolation;
import dev.pgproxy.protocol.frontend.FrontendWriter;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

final class InitialMessageReaderTest {
    private static ByteBuf packet(int length, int code, String rest) {
        return Unpooled.buffer().writeInt(length).writeInt(code).writeBytes(rest.getBytes(StandardCharsets.ISO_8859_1));
    }

    private static @Nullable InitialMessage read(ByteBuf in) {
        return InitialMessageReader.read(in);
    }

    private static void assertRefused(ByteBuf in, String message) {
        assertThatThrownBy(() -> read(in)).isInstanceOf(ProtocolViolation.class).hasMessageContaining(message);
    }

    @Test
    void aStartupMessageIsReadHoweverMuchOfItHasCome() {
        Map<String, String> parameters = new LinkedHashMap<>();
        parameters.put("user", "ümit");
        parameters.put("database", "");
        parameters.put("_pq_.x", "1");
        ByteBuf all = Unpooled.buffer();
        FrontendWriter.startup(all, InitialMessage.VERSION_3_2, parameters);
        int length = all.writerIndex();
        all.writeBytes(new byte[] {'Q', 0});
        for (int n = 0; n < length; n++) {
            ByteBuf part = all.copy(0, n);
            assertThat(read(part)).as("%s bytes", n).isNull();
            assertThat(part.readerIndex()).isZero();
        }
        assertThat(read(all)).isEqualTo(new InitialMessage.Startup(InitialMessage.VERSION_3_2, parameters));
        assertThat(all.readableBytes()).isEqualTo(2);
        assertThat(new InitialMessage.Startup(InitialMessage.VERSION_3_2, parameters).minor())
                .isEqualTo(2);
    }

    @Test
    void requestsAreTold() {
        assertThat(read(packet(8, InitialMessage.SSL_REQUEST, ""))).isEqualTo(new InitialMessage.SslRequest());
        assertThat(read(packet(8, InitialMessage.GSSENC_REQUEST, ""))).isEqualTo(new InitialMessage.GssEncRequest());
        ByteBuf cancel = Unpooled.buffer();
        FrontendWriter.cancelRequest(cancel, 7, new byte[] {1, 2, 3, 4, 5});
        assertThat(read(cancel)).isInstanceOfSatisfying(InitialMessage.CancelRequest.class, request -> {
            assertThat(request.processId()).isEqualTo(7);
            assertThat(request.secret()).containsExactly(1, 2, 3, 4, 5);
        });
    }

    @Test
    void lengthsAreCheckedBeforeAnythingIsHeld() {
        for (int length : new int[] {Integer.MIN_VALUE, -1, 0, 7, InitialMessageReader.MAX_LENGTH + 1, 1 << 30}) {
            assertRefused(Unpooled.buffer().writeInt(length), "invalid length of startup packet");
        }
        assertRefused(packet(9, InitialMessage.SSL_REQUEST, "x"), "invalid length of startup packet");
        assertRefused(packet(11, InitialMessage.CANCEL_REQUEST, "abc"), "invalid length of cancel request packet");
        assertRefused(
                packet(269, InitialMessage.CANCEL_REQUEST, "x".repeat(261)), "invalid length of cancel request packet");
    }

    @Test
    void namesAndValuesHaveToEndWhereThePacketEnds() {
        for (String rest : new String[] {
            "", "user", "user\0", "user\0x", "user\0x\0", "user\0\0", "user\0x\0\0\0", "user\0x\0\0junk\0"
        }) {
            assertThatThrownBy(() -> read(packet(8 + rest.length(), InitialMessage.VERSION_3_0, rest)))
                    .as("'%s'", rest.replace('\0', '.'))
                    .isInstanceOf(ProtocolViolation.class);
        }
    }

    @Test
    void otherMajorVersionsAreNotSupported() {
        assertThatThrownBy(() -> read(packet(9, 4 << 16, "\0")))
                .hasMessageContaining("unsupported frontend protocol 4.0")
                .isInstanceOfSatisfying(
                        ProtocolViolation.class, e -> assertThat(e.state()).isEqualTo(SqlState.FEATURE_NOT_SUPPORTED));
    }
}
