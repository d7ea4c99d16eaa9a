package dev.pgproxy.protocol.backend;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;

/** Types of the columns of our own results, and how their values look in binary format. Immutable. Source: pg_type.dat. */
public enum ColumnType {
    INT4(23, 4),
    INT8(20, 8),
    TEXT(25, -1),
    /** Whole numbers that are not negative only. */
    NUMERIC(1700, -1);

    /** NUMERIC counts in digits of this base. */
    private static final int BASE = 10_000;

    private static final int MAX_DIGITS = 5;

    private final int oid;
    private final int size;

    ColumnType(int oid, int size) {
        this.oid = oid;
        this.size = size;
    }

    /** Its number in pg_type. */
    int oid() {
        return oid;
    }

    /** Bytes of a value, -1 where they differ. */
    int size() {
        return size;
    }

    /** {@code Int32 length, Byten value} in text format. */
    static void writeText(ByteBuf out, String value) {
        out.writeInt(ByteBufUtil.utf8Bytes(value));
        ByteBufUtil.writeUtf8(out, value);
    }

    /** {@code Int32 length, Byten value} in binary format. */
    void writeBinary(ByteBuf out, String value) {
        switch (this) {
            case INT4 -> out.writeInt(4).writeInt(Integer.parseInt(value));
            case INT8 -> out.writeInt(8).writeLong(Long.parseLong(value));
            case TEXT -> writeText(out, value);
            case NUMERIC -> writeNumeric(out, Long.parseLong(value));
        }
    }

    /** {@code Int16 digits, Int16 weight, Int16 sign 0, Int16 scale 0, Int16 digit ...}, each digit of base 10000. */
    private static void writeNumeric(ByteBuf out, long value) {
        int[] digits = new int[MAX_DIGITS];
        int count = 0;
        for (long rest = value; rest > 0; rest /= BASE) {
            digits[count++] = (int) (rest % BASE);
        }
        out.writeInt(8 + 2 * count)
                .writeShort(count)
                .writeShort(Math.max(0, count - 1))
                .writeShort(0)
                .writeShort(0);
        for (int i = count - 1; i >= 0; i--) {
            out.writeShort(digits[i]);
        }
    }
}
