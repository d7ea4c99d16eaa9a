package dev.pgproxy.protocol.backend;

import dev.pgproxy.protocol.frame.BackendType;
import dev.pgproxy.protocol.frame.CString;
import dev.pgproxy.protocol.frame.FrameReader;
import dev.pgproxy.protocol.frame.ProtocolViolation;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * What a statement gives: for each column its name, type and modifier, which is what PostgreSQL compares before it says
 * "cached plan must not change result type" (equalTupleDescs in src/backend/access/common/tupdesc.c; tables and formats are not
 * of it). Immutable; equal if the same rows can be read the same way.
 */
public final class ResultColumns {
    /** Nobody has asked; unequal to what a statement gives. */
    public static final ResultColumns UNKNOWN = new ResultColumns(new byte[] {0});

    private static final int TABLE_AND_ATTRIBUTE = 6;
    private static final int LENGTH = 2;
    private static final int FORMAT = 2;
    private static final int FIXED = TABLE_AND_ATTRIBUTE + 4 + LENGTH + 4 + FORMAT;

    private final byte[] columns;

    private ResultColumns(byte[] columns) {
        this.columns = columns;
    }

    /**
     * Of a whole RowDescription {@code T, Int32 length, Int16 columns, then for each String name, Int32 table, Int16 attribute,
     * Int32 type, Int16 type length, Int32 modifier, Int16 format}, or NoData.
     */
    public static ResultColumns read(ByteBuf buf, int index, int length) {
        if (buf.getByte(index) == BackendType.NO_DATA) {
            return new ResultColumns(new byte[0]);
        }
        int end = index + length;
        int at = index + FrameReader.HEADER + 2;
        ByteBuf kept = Unpooled.buffer(length);
        while (at < end) {
            int fixed = CString.find(buf, at, end) + 1;
            if (fixed <= 0 || end - fixed < FIXED) {
                throw new ProtocolViolation("invalid RowDescription");
            }
            int type = fixed + TABLE_AND_ATTRIBUTE;
            kept.writeBytes(buf, at, fixed - at).writeInt(buf.getInt(type)).writeInt(buf.getInt(type + 4 + LENGTH));
            at = fixed + FIXED;
        }
        return new ResultColumns(Arrays.copyOf(kept.array(), kept.readableBytes()));
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof ResultColumns that && Arrays.equals(columns, that.columns);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(columns);
    }
}
