package dev.pgproxy.protocol.backend;

import dev.pgproxy.protocol.frame.FrameReader;
import dev.pgproxy.protocol.frame.ProtocolViolation;
import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads rows of our own queries; rows of clients are never decoded. {@code D, Int32 length, Int16 columns, then for each
 * Int32 length or -1, Byten value}. Stateless.
 */
public final class RowView {
    private RowView() {}

    /** The values of a whole DataRow in text format; null is SQL's NULL. */
    public static List<@Nullable String> texts(ByteBuf buf, int index, int length) {
        int end = index + length;
        int i = index + FrameReader.HEADER;
        int columns = end - i < 2 ? -1 : buf.getShort(i);
        i += 2;
        if (columns < 0) {
            throw new ProtocolViolation("invalid DataRow");
        }
        List<@Nullable String> values = new ArrayList<>(columns);
        for (int c = 0; c < columns; c++) {
            int n = end - i < 4 ? Integer.MAX_VALUE : buf.getInt(i);
            i += 4;
            if (n > end - i) {
                throw new ProtocolViolation("invalid DataRow");
            }
            values.add(n < 0 ? null : buf.toString(i, n, StandardCharsets.UTF_8));
            i += Math.max(n, 0);
        }
        return values;
    }
}
