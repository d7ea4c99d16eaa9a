package dev.pgproxy.insight;

import java.security.SecureRandom;
import org.jspecify.annotations.Nullable;

/**
 * Who runs a statement, by the words of the client. Immutable. Its hash is keyed, since clients choose these words: not a
 * record, whose hash anybody can compute.
 */
public final class Caller {
    private static final long FACTOR = new SecureRandom().nextLong() | 1;

    private final String database;
    private final String user;
    private final String application;
    private final int hash;

    /**
     * As the client named them.
     *
     * @param application its application_name as PostgreSQL reports it, empty if it has none
     */
    public Caller(String database, String user, String application) {
        this.database = database;
        this.user = user;
        this.application = application;
        this.hash = (int) (mix(mix(mix(FACTOR, database), user), application) >>> 32);
    }

    private static long mix(long hash, String word) {
        long mixed = hash;
        for (int i = 0; i < word.length(); i++) {
            mixed = (mixed ^ mixed >>> 29 ^ word.charAt(i)) * FACTOR;
        }
        return (mixed ^ mixed >>> 29 ^ 0x10000) * FACTOR; // no character: "ab", "c" is not "a", "bc"
    }

    /** The database that the client asked for. */
    public String database() {
        return database;
    }

    /** The user that it logged in as. */
    public String user() {
        return user;
    }

    /** What it calls itself. */
    public String application() {
        return application;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return this == other
                || other instanceof Caller that
                        && hash == that.hash
                        && application.equals(that.application)
                        && user.equals(that.user)
                        && database.equals(that.database);
    }

    @Override
    public int hashCode() {
        return hash;
    }

    @Override
    public String toString() {
        return user + "@" + database + " (" + application + ")";
    }
}
