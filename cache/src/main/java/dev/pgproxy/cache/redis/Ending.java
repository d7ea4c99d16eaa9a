package dev.pgproxy.cache.redis;

/** How a doubt has ended. In messages: its ordinal. */
public enum Ending {
    /** Surely nothing was written. */
    NOTHING,
    /** The tables may have been written. */
    WRITTEN,
    /** The tables may have been written, and definitions changed. */
    DEFINED;

    private static final Ending[] ALL = values();

    /** What is to be believed of one that nobody has seen. */
    public static Ending unseen(TableSet tables) {
        return tables.isAll() ? DEFINED : WRITTEN;
    }

    /** Whether anything may have been written. */
    public boolean wrote() {
        return this != NOTHING;
    }

    String text() {
        return Integer.toString(ordinal());
    }

    /** Throws IndexOutOfBoundsException or NumberFormatException if it is none. */
    static Ending parse(String text) {
        return ALL[Integer.parseInt(text)];
    }
}
