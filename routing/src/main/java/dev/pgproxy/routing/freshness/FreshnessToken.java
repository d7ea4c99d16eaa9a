package dev.pgproxy.routing.freshness;

import org.jspecify.annotations.Nullable;

/**
 * A moment of a cluster that somebody has seen and tells others of, in another session, process or service: whoever sets it
 * reads nothing older. As text {@code 7423849284723847293/1/0/3000148}: system identifier, timeline, WAL position.
 * Immutable.
 *
 * @param lsn the primary's insert position then, unsigned
 */
public record FreshnessToken(Timeline timeline, long lsn) {
    /** What a replica of this cluster cannot have replayed. */
    private static final long NOWHERE = -1;

    /** Reads a token on the primary. The position first: the timeline cannot be older. */
    public static final String SQL = "SELECT pg_catalog.concat_ws('/', system_identifier,"
            + " ('x' OPERATOR(pg_catalog.||) pg_catalog.substr(pg_catalog.pg_walfile_name(lsn), 1, 8))"
            + "::pg_catalog.bit(32)::pg_catalog.int4, lsn) AS \"pgproxy.freshness\""
            + " FROM (SELECT pg_catalog.pg_current_wal_insert_lsn() AS lsn OFFSET 0) AS now,"
            + " pg_catalog.pg_control_system()";

    /** The token of a text; null if it is none. */
    public static @Nullable FreshnessToken parse(String text) {
        String[] parts = text.split("/", -1);
        if (parts.length != 4) {
            return null;
        }
        try {
            Timeline timeline = new Timeline(Long.parseLong(parts[0]), Integer.parseInt(parts[1]));
            return new FreshnessToken(timeline, Lsn.parse(parts[2] + "/" + parts[3]));
        } catch (NumberFormatException e) {
            return null;
        }
    }

    /**
     * The position that a replica must have replayed, unsigned. On another timeline than the token's it is not known what of
     * it is there: no replica will do.
     *
     * @param now the primary's timeline; null if it is not known
     */
    public long positionOn(@Nullable Timeline now) {
        return timeline.equals(now) ? lsn : NOWHERE;
    }

    @Override
    public String toString() {
        return timeline + "/" + Lsn.toString(lsn);
    }
}
