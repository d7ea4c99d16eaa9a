package dev.pgproxy.consistency;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** A prepared transaction that waits for any session to end it. Handed from session to session, confined to whoever has it. */
final class Prepared {
    final String gid;

    /** One for each row; the rows are nobody else's until it has ended. */
    final List<Write> writes;

    /** Whether PREPARE TRANSACTION was answered. */
    final boolean certain;

    final long since = System.nanoTime();

    /** Whether it is to be committed; null before anybody has tried. */
    @Nullable
    Boolean commits;

    Prepared(String gid, List<Write> writes, boolean certain) {
        this.gid = gid;
        this.writes = List.copyOf(writes);
        this.certain = certain;
    }
}
