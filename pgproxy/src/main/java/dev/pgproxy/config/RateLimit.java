package dev.pgproxy.config;

import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How many transactions may start within any stretch of time of one length. Immutable.
 *
 * @param transactions 0 = no limit
 * @param window the length
 */
public record RateLimit(int transactions, Duration window) {
    /** No limit. */
    public static final RateLimit NONE = new RateLimit(0, Duration.ZERO);

    static final String FORM = "transactions per time such as 100/min, 50/s, 5000/10min; 0 = no limit";

    private static final Pattern TEXT = Pattern.compile("(\\d{1,9})\\s*/\\s*(\\d*)\\s*([a-zA-Z]+)");
    private static final Duration SHORTEST = Duration.ofMillis(10);
    private static final Duration LONGEST = Duration.ofDays(1);

    /** Whether nothing is limited. */
    public boolean isNone() {
        return transactions == 0;
    }

    static RateLimit parse(String text) {
        if (text.equals("0")) {
            return NONE;
        }
        Matcher matcher = TEXT.matcher(text);
        if (!matcher.matches()) {
            throw new IllegalArgumentException();
        }
        int transactions = Integer.parseInt(matcher.group(1));
        String number = matcher.group(2).isEmpty() ? "1" : matcher.group(2);
        Duration window = Quantities.duration(number + matcher.group(3));
        if (window.compareTo(SHORTEST) < 0 || window.compareTo(LONGEST) > 0) {
            throw new IllegalArgumentException("the time of a rate limit is between 10ms and 1d");
        }
        return transactions == 0 ? NONE : new RateLimit(transactions, window);
    }

    /** Where a limit must be one. */
    static RateLimit parseSome(String text) {
        RateLimit limit = parse(text);
        if (limit.isNone()) {
            throw new IllegalArgumentException();
        }
        return limit;
    }

    /** As it stands in a file. */
    @Override
    public String toString() {
        if (isNone()) {
            return "0";
        }
        long seconds = window.toSeconds();
        String time = window.toNanos() % 1_000_000_000L != 0
                ? Quantities.show(window)
                : switch ((int) seconds) {
                    case 1 -> "s";
                    case 60 -> "min";
                    case 3600 -> "h";
                    case 86_400 -> "d";
                    default -> seconds % 60 == 0 ? seconds / 60 + "min" : seconds + "s";
                };
        return transactions + "/" + time;
    }
}
