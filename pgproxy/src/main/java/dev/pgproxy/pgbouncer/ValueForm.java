package dev.pgproxy.pgbouncer;

import java.math.BigDecimal;
import java.util.Locale;
import java.util.stream.Stream;

/** How PgBouncer reads the values of a setting, and how pgproxy writes them. */
enum ValueForm {
    /** As it stands. */
    TEXT {
        @Override
        Object convert(String value) {
            return value;
        }
    },
    /** One of a few words, in upper or lower case. */
    CHOICE {
        @Override
        Object convert(String value) {
            return value.toLowerCase(Locale.ROOT);
        }
    },
    /** Names between commas. */
    LIST {
        @Override
        Object convert(String value) {
            return Stream.of(value.split(",", -1))
                    .map(String::strip)
                    .filter(part -> !part.isEmpty())
                    .toList();
        }
    },
    /** A file, relative to the working directory. */
    FILE {
        @Override
        Object convert(String value) {
            return value;
        }
    },
    /** A whole number as in C: decimal, 0x… or 0…. */
    NUMBER {
        @Override
        Object convert(String value) {
            return Long.toString(number(value));
        }
    },
    /** A number of servers, where 0 is no limit. */
    SERVERS {
        @Override
        Object convert(String value) {
            long number = number(value);
            return Long.toString(number == 0 ? UNLIMITED : number);
        }
    },
    /** A number, where all but 0 is yes. */
    FLAG {
        @Override
        Object convert(String value) {
            return number(value) == 0 ? "false" : "true";
        }
    },
    /** Seconds, perhaps with a fraction. */
    SECONDS {
        @Override
        Object convert(String value) {
            return seconds(value);
        }
    },
    /** Seconds, where 0 means at once and not never. */
    LIFETIME {
        @Override
        Object convert(String value) {
            String seconds = seconds(value);
            return seconds.equals("0") ? "1ms" : seconds;
        }
    },
    /** Whole seconds. */
    WHOLE_SECONDS {
        @Override
        Object convert(String value) {
            return seconds(Long.toString(number(value)));
        }
    },
    /** Whole milliseconds. */
    MILLIS {
        @Override
        Object convert(String value) {
            long number = number(value);
            return number == 0 ? "0" : number + "ms";
        }
    },
    /** Permissions of a file: a number as in C, so that octal ones begin with 0. */
    MODE {
        @Override
        Object convert(String value) {
            return String.format(Locale.ROOT, "%04o", number(value));
        }
    },
    /** 0 and more: how much is logged. */
    VERBOSITY {
        @Override
        Object convert(String value) {
            long number = number(value);
            return number <= 0 ? "info" : number == 1 ? "debug" : "trace";
        }
    },
    /** Versions of TLS. */
    PROTOCOLS {
        @Override
        Object convert(String value) {
            return TlsNames.protocols(value);
        }
    };

    /** What pgproxy takes at most. */
    private static final int UNLIMITED = 100_000;

    /** As text, or as a list of texts; throws IllegalArgumentException, whose message says what is expected. */
    abstract Object convert(String value);

    /** Whether the value is the same as none at all. */
    boolean isUnset(String value) {
        return (this == TEXT || this == FILE) && value.isEmpty();
    }

    static long number(String value) {
        try {
            return Integer.decode(value);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("expects a whole number", e);
        }
    }

    static String seconds(String value) {
        try {
            BigDecimal number = new BigDecimal(value);
            if (number.signum() < 0) {
                throw new NumberFormatException();
            }
            return number.signum() == 0 ? "0" : number.stripTrailingZeros().toPlainString() + "s";
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("expects seconds, such as 30 or 0.5", e);
        }
    }
}
