package dev.pgproxy.routing.sql;

import io.netty.buffer.ByteBuf;
import java.util.List;

/**
 * The types of parameters that a driver declares in a Parse, as far as an index may be lost by them. Immutable.
 *
 * @param names as format_type has them, the first is that of {@code $1}; empty = any other type, or left to PostgreSQL
 */
public record ParameterTypes(List<String> names) {
    /** Nothing is known. */
    public static final ParameterTypes NONE = new ParameterTypes(List.of());

    /** Of more parameters nothing is known. */
    private static final int MOST = 64;

    public ParameterTypes {
        names = List.copyOf(names);
    }

    /**
     * Reads the end of a Parse.
     *
     * @param from behind the text's terminator
     * @param to behind the message
     */
    public static ParameterTypes read(ByteBuf buf, int from, int to) {
        int count = to - from < Short.BYTES ? 0 : buf.getUnsignedShort(from);
        int first = from + Short.BYTES;
        if (count == 0 || count > MOST || to - first < count * Integer.BYTES) {
            return NONE;
        }
        String[] names = new String[count];
        for (int i = 0; i < count; i++) {
            names[i] = name(buf.getInt(first + i * Integer.BYTES));
        }
        return new ParameterTypes(List.of(names));
    }

    /** Source: pg_type.dat. */
    private static String name(int oid) {
        return switch (oid) {
            case 25 -> "text";
            case 700 -> "real";
            case 701 -> "double precision";
            case 1700 -> "numeric";
            default -> "";
        };
    }

    /**
     * What was declared; empty if nothing is known.
     *
     * @param number 1 = {@code $1}
     */
    public String of(int number) {
        return number >= 1 && number <= names.size() ? names.get(number - 1) : "";
    }
}
