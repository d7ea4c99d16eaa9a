package dev.pgproxy.results;

import java.util.Arrays;
import java.util.List;

/**
 * A read as a client asks it, with everything that is needed to ask it again. Equal to what asks for the same in the same
 * session. Immutable, if nobody writes to its bytes.
 */
public final class HotRead {
    private final String database;
    private final String user;
    private final List<String> settings;
    private final byte[] messages;
    private final int hash;

    /**
     * A read.
     *
     * @param database by the name that the client asked for
     * @param user as the client logged in
     * @param settings SQL that sets what the session has set
     * @param messages a Query; or Parse of a named statement, Describe, Bind, Describe, Execute and Sync
     */
    public HotRead(String database, String user, List<String> settings, byte[] messages) {
        this.database = database;
        this.user = user;
        this.settings = List.copyOf(settings);
        this.messages = messages;
        this.hash = 31 * (31 * database.hashCode() + user.hashCode()) + Arrays.hashCode(messages);
    }

    /** By the name that the client asked for. */
    public String database() {
        return database;
    }

    /** As the client logged in. */
    public String user() {
        return user;
    }

    /** SQL that sets what the session has set. */
    public List<String> settings() {
        return settings;
    }

    /** Whole messages, not a copy: not to be written to. */
    public byte[] messages() {
        return messages;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof HotRead read
                && database.equals(read.database)
                && user.equals(read.user)
                && settings.equals(read.settings)
                && Arrays.equals(messages, read.messages);
    }

    @Override
    public int hashCode() {
        return hash;
    }

    /** Without what it asks: there are values in it. */
    @Override
    public String toString() {
        return database + "/" + user;
    }
}
