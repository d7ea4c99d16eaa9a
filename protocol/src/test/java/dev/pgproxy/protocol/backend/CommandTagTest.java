package dev.pgproxy.protocol.backend;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** How many rows the tags of CommandComplete tell. */
final class CommandTagTest {
    @Test
    void rowsAreTheNumberAtTheEnd() {
        Map.of(
                        "SELECT 3", 3L,
                        "INSERT 0 12", 12L,
                        "INSERT 16384 1", 1L,
                        "COPY 4000000000", 4_000_000_000L,
                        "UPDATE 0", 0L,
                        "CREATE TABLE", 0L,
                        "BEGIN", 0L,
                        "7", 0L,
                        "", 0L)
                .forEach((tag, rows) -> {
                    ByteBuf message = Unpooled.buffer().writeZero(3);
                    BackendWriter.commandComplete(message, tag);
                    int length = message.readableBytes() - 3;
                    message.writeByte('9');
                    assertThat(CommandTag.rows(message, 3, length)).as(tag).isEqualTo(rows);
                    assertThat(CommandTag.read(message, 3, length)).isEqualTo(tag);
                });
    }
}
