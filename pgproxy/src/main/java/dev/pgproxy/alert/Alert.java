package dev.pgproxy.alert;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Something is the matter, or was. Immutable.
 *
 * @param subject which host, pool or database; one line, whatever its name
 * @param text what is the matter; one line
 * @param cleared when it was well again; null = it is not
 */
public record Alert(
        AlertKind kind,
        String subject,
        String text,
        Instant raised,
        @Nullable Instant cleared) {
    /**
     * By what it is the same alert when it is raised and when it is cleared. Immutable.
     *
     * @param subject as in the alert
     */
    public record Id(AlertKind kind, String subject) {
        @Override
        public String toString() {
            return kind + "/" + subject;
        }
    }

    private static final int LONGEST = 500;

    public Alert {
        subject = line(subject);
        text = line(text);
    }

    /** Raised now. */
    static Alert of(AlertKind kind, String subject, String text, Instant raised) {
        return new Alert(kind, subject, text, raised, null);
    }

    /** Names of databases are what clients make up, and reasons are what servers say. */
    private static String line(String text) {
        String line = text.replaceAll("\\p{Cntrl}", " ").strip();
        return line.length() <= LONGEST ? line : line.substring(0, LONGEST) + "…";
    }

    /** The same, and well again. */
    Alert clearedAt(Instant when) {
        return new Alert(kind, subject, text, raised, when);
    }

    /** What it has in common with itself at another time. */
    public Id id() {
        return new Id(kind, subject);
    }

    /** Whether it is still so. */
    public boolean isRaised() {
        return cleared == null;
    }

    /** In one line, such as {@code host_down 10.0.0.2:5432: it does not answer}. */
    public String summary() {
        return (isRaised() ? "" : "cleared: ") + kind + " " + subject + ": " + text;
    }
}
