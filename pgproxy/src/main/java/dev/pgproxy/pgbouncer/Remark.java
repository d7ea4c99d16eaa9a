package dev.pgproxy.pgbouncer;

import java.util.Comparator;

/**
 * What a person should know of a line of an ini file. Immutable; never holds a secret.
 *
 * @param file as it was named
 * @param line from 1; 0 = the file as a whole
 * @param text one sentence, the setting's name first
 */
public record Remark(Kind kind, String file, int line, String text) implements Comparable<Remark> {
    private static final Comparator<Remark> ORDER =
            Comparator.comparing(Remark::file).thenComparingInt(Remark::line).thenComparing(Remark::text);

    /** How much it matters. */
    public enum Kind {
        /** The file cannot be used: PgBouncer would refuse it, or obeying the line matters too much to leave it out. */
        ERROR,
        /** pgproxy has no such setting, and somebody may notice. */
        DIFFERENT,
        /** pgproxy has no such setting and needs none. */
        NEEDLESS
    }

    @Override
    public int compareTo(Remark other) {
        return ORDER.compare(this, other);
    }

    @Override
    public String toString() {
        return (line == 0 ? file : file + ":" + line) + ": " + text;
    }
}
