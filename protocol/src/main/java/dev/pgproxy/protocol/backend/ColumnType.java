package dev.pgproxy.protocol.backend;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.math.BigDecimal;

/** Types of the columns of our own results, and how their values look in binary format. Immutable. Source: pg_type.dat. */
public enum ColumnType {
    INT4(23, 4),
    INT8(20, 8),
    TEXT(25, -1),
    NUMERIC(1700, -1);

    /** NUMERIC counts in digits of base 10000: so many decimal ones. */
    private static final int DECIMALS = 4;

    private static final int NEGATIVE = 0x4000;

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
            case NUMERIC -> writeNumeric(out, new BigDecimal(value));
        }
    }

    /**
     * {@code Int16 digits, Int16 weight of the first, Int16 sign, Int16 decimals shown, Int16 digit ...}, each digit of base
     * 10000, neither the first nor the last of them 0 (src/backend/utils/adt/numeric.c, numeric_send).
     */
    private static void writeNumeric(ByteBuf out, BigDecimal value) {
        int scale = Math.max(0, value.scale());
        int padded = Math.ceilDiv(scale, DECIMALS) * DECIMALS;
        String plain = value.abs().setScale(padded).unscaledValue().toString();
        String digits = "0".repeat(Math.floorMod(-plain.length(), DECIMALS)) + plain;
        int first = 0;
        int end = digits.length() / DECIMALS;
        int weight = end - padded / DECIMALS - 1;
        while (end > first && digit(digits, end - 1) == 0) {
            end--;
        }
        while (first < end && digit(digits, first) == 0) {
            first++;
        }
        int count = end - first;
        out.writeInt(8 + 2 * count)
                .writeShort(count)
                .writeShort(count == 0 ? 0 : weight - first)
                .writeShort(value.signum() < 0 ? NEGATIVE : 0)
                .writeShort(scale);
        for (int i = first; i < end; i++) {
            out.writeShort(digit(digits, i));
        }
    }

    private static int digit(String digits, int i) {
        return Integer.parseInt(digits, i * DECIMALS, (i + 1) * DECIMALS, 10);
    }
}
