package dev.pgproxy.insight;

import java.security.SecureRandom;
import org.jspecify.annotations.Nullable;

/**
 * Who runs a statement, by the words of the client. Immutable. Its hash is keyed, since clients choose these words: not a
 * record, whose hash anybody can compute.
 */
public final class Caller {
    private static final int LONGEST = 128;

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
        this.database = shortened(database);
        this.user = shortened(user);
        this.application = shortened(application);
        this.hash = (int) (mix(mix(mix(FACTOR, this.database), this.user), this.application) >>> 32);
    }

    /** Names of PostgreSQL are no longer, but a client can ask a wildcard for one of 64 kB, and each would be kept. */
    private static String shortened(String word) {
        return word.length() <= LONGEST ? word : word.substring(0, LONGEST);
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
