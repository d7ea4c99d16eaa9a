package dev.pgproxy.config;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Durations and sizes with their units. A duration without a unit is in seconds, as in PgBouncer; a size without one in
 * bytes, and kB, MB, GB are powers of 1024, as in PostgreSQL.
 */
final class Quantities {
    private static final Pattern FORM = Pattern.compile("(\\d+(?:\\.\\d+)?)\\s*([a-zA-Z]*)");
    private static final long MAX_SECONDS = 10L * 365 * 24 * 3600;

    private Quantities() {}

    static Duration duration(String text) {
        Matcher matcher = match(text);
        long nanosPerUnit = switch (matcher.group(2).toLowerCase(Locale.ROOT)) {
            case "us" -> 1_000L;
            case "ms" -> 1_000_000L;
            case "", "s" -> 1_000_000_000L;
            case "m", "min" -> 60_000_000_000L;
            case "h" -> 3_600_000_000_000L;
            case "d" -> 86_400_000_000_000L;
            default -> throw new IllegalArgumentException();
        };
        BigDecimal nanos = new BigDecimal(matcher.group(1)).multiply(BigDecimal.valueOf(nanosPerUnit));
        if (nanos.compareTo(BigDecimal.valueOf(MAX_SECONDS * 1_000_000_000L)) > 0) {
            throw new IllegalArgumentException("at most ten years");
        }
        return Duration.ofNanos(nanos.longValue());
    }

    /** Seconds, or milliseconds or microseconds where it is not whole seconds; 0 without a unit. */
    static String show(Duration duration) {
        long micros = duration.toNanos() / 1_000;
        if (micros % 1_000_000 == 0) {
            return micros == 0 ? "0" : micros / 1_000_000 + "s";
        }
        return micros % 1_000 == 0 ? micros / 1_000 + "ms" : micros + "us";
    }

    static long size(String text) {
        Matcher matcher = match(text);
        long bytesPerUnit = switch (matcher.group(2).toLowerCase(Locale.ROOT)) {
            case "", "b" -> 1L;
            case "k", "kb", "kib" -> 1L << 10;
            case "m", "mb", "mib" -> 1L << 20;
            case "g", "gb", "gib" -> 1L << 30;
            default -> throw new IllegalArgumentException();
        };
        BigDecimal bytes = new BigDecimal(matcher.group(1)).multiply(BigDecimal.valueOf(bytesPerUnit));
        if (bytes.compareTo(BigDecimal.valueOf(1L << 60)) > 0) {
            throw new IllegalArgumentException();
        }
        return bytes.longValue();
    }

    /** In the largest unit that divides it. */
    static String showSize(long bytes) {
        String[] units = {"", "kB", "MB", "GB"};
        int unit = 0;
        long value = bytes;
        while (unit < 3 && value != 0 && value % 1024 == 0) {
            value /= 1024;
            unit++;
        }
        return value + units[unit];
    }

    private static Matcher match(String text) {
        Matcher matcher = FORM.matcher(text);
        if (!matcher.matches()) {
            throw new IllegalArgumentException();
        }
        return matcher;
    }
}
