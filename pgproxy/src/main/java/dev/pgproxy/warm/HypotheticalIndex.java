package dev.pgproxy.warm;

import dev.pgproxy.insight.IndexTrial;

/**
 * An index that HypoPG makes up in one session, so that the planner there can say whether it would use it; no other session sees
 * it, and nothing is written. Source: the manual of HypoPG 1.4. Confined to its session's loop, but for {@link #trial}.
 */
final class HypotheticalIndex {
    /** By its schema, whatever search_path is: quoted. */
    static final String FIND = "SELECT pg_catalog.quote_ident(n.nspname) FROM pg_catalog.pg_extension e"
            + " JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) e.extnamespace"
            + " WHERE e.extname OPERATOR(pg_catalog.=) 'hypopg'";

    private final String sql;
    private String schema = "";
    private String oid = "";
    private String json = "";
    private String failure = "hypopg is not installed";

    HypotheticalIndex(String sql) {
        this.sql = sql;
    }

    void found(String inSchema) {
        schema = inSchema;
        failure = "";
    }

    /** It cannot be tried any further. */
    void fail(String why) {
        failure = why;
    }

    boolean isFailed() {
        return !failure.isEmpty();
    }

    /** Makes it up. A literal with E means the same whatever the session says of backslashes. */
    String create() {
        String plain = sql.replaceFirst("^CREATE INDEX CONCURRENTLY ", "CREATE INDEX ");
        return "SELECT indexrelid FROM " + schema + ".hypopg_create_index(E'"
                + plain.replace("\\", "\\\\").replace("'", "''") + "')";
    }

    void created(String as) {
        oid = as;
    }

    /** Whether the session still has it. */
    boolean isThere() {
        return !oid.isEmpty();
    }

    /** Removes it, and nothing else that the session may have. */
    String drop() {
        return "SELECT " + schema + ".hypopg_drop_index(" + oid + ")";
    }

    void planned(String plan) {
        json = plan;
    }

    /**
     * What came of it.
     *
     * @param without the plan as things are
     */
    IndexTrial trial(String without) {
        return failure.isEmpty() ? IndexTrial.of(sql, without, json, oid) : IndexTrial.none(sql, failure);
    }
}
