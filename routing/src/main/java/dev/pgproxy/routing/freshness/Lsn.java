package dev.pgproxy.routing.freshness;

import java.util.Locale;

/** WAL positions as unsigned 64-bit numbers, and their text as PostgreSQL's type pg_lsn has it. Thread-safe. */
public final class Lsn {
    private Lsn() {}

    /**
     * The position behind a text such as {@code 16/B374D848}.
     *
     * @throws NumberFormatException if it is none
     */
    public static long parse(String text) {
        int slash = text.indexOf('/');
        if (slash < 0) {
            throw new NumberFormatException("no WAL position: " + text);
        }
        long high = Integer.parseUnsignedInt(text, 0, slash, 16);
        long low = Integer.parseUnsignedInt(text, slash + 1, text.length(), 16);
        return high << 32 | low & 0xFFFF_FFFFL;
    }

    public static String toString(long lsn) {
        return Long.toHexString(lsn >>> 32).toUpperCase(Locale.ROOT)
                + "/"
                + Long.toHexString(lsn & 0xFFFF_FFFFL).toUpperCase(Locale.ROOT);
    }
}
