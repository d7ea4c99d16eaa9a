package dev.pgproxy.advice.facts;

/** The queries of {@link FactsReader}, for PostgreSQL 13 to 18. Immutable. */
final class FactsQueries {
    /** The largest so many; a statement about another one gets no advice. */
    private static final String MOST_TABLES = "2000";

    static final String TABLES = """
            SELECT c.oid, n.nspname, c.relname, c.relkind::text, coalesce(CASE WHEN c.relispartition THEN
                (SELECT min(h.inhparent::int8) FROM pg_inherits h WHERE h.inhrelid = c.oid) END, 0),
              greatest(c.reltuples, s.n_live_tup, 0),
              CASE WHEN c.relkind = 'p' THEN 0 ELSE coalesce(pg_relation_size(c.oid), 0) END
                / current_setting('block_size')::int8,
              coalesce(s.seq_scan, 0), coalesce(s.seq_tup_read, 0), coalesce(s.idx_scan, 0),
              coalesce(s.n_tup_ins + s.n_tup_upd + s.n_tup_del, 0), coalesce(s.n_mod_since_analyze, 0),
              s.last_analyze IS NOT NULL OR s.last_autoanalyze IS NOT NULL, coalesce(s.n_live_tup, 0),
              ARRAY(SELECT a.attname::text FROM pg_partitioned_table p
                JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (p.partattrs) WHERE p.partrelid = c.oid),
              c.relallvisible::float8 / greatest(c.relpages, 1)
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            LEFT JOIN pg_stat_user_tables s ON s.relid = c.oid
            WHERE c.relkind IN ('r', 'p', 'm') AND c.relpersistence <> 't'
              AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
            ORDER BY c.relkind = 'p' DESC, c.relpages DESC, c.oid LIMIT\s""" + MOST_TABLES;

    static final String COLUMNS = """
            SELECT a.attrelid, a.attname, format_type(a.atttypid, NULL),
              CASE WHEN l.oid IS NULL THEN false WHEN l.collname = 'default' THEN d.datcollate IN ('C', 'POSIX')
                ELSE coalesce(l.collcollate, '') IN ('C', 'POSIX') END,
              s.attname IS NOT NULL, coalesce(s.n_distinct, 0), coalesce(s.null_frac, 0),
              coalesce(CASE WHEN a.atttypid = 'bool'::regtype THEN (SELECT sum(m.share)
                FROM unnest(s.most_common_vals::text::text[], s.most_common_freqs) m(val, share) WHERE m.val = 't') END, 0),
              coalesce(s.correlation, 0), coalesce(s.avg_width, 8)
            FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
            JOIN pg_database d ON d.datname = current_database()
            LEFT JOIN pg_collation l ON l.oid = a.attcollation
            LEFT JOIN pg_stats s ON s.schemaname = n.nspname AND s.tablename = c.relname AND s.attname = a.attname
              AND s.inherited = (c.relkind = 'p')
            WHERE a.attrelid = ANY (?::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
            ORDER BY a.attrelid, a.attnum LIMIT 50000""";

    static final String INDEXES = """
            SELECT i.indexrelid, i.indrelid, n.nspname, c.relname, m.amname, i.indisunique,
              i.indisvalid AND i.indisready AND i.indislive,
              i.indisreplident OR i.indisexclusion
                OR EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid),
              c.relispartition OR c.relkind = 'I', coalesce(pg_get_expr(i.indpred, i.indrelid), ''),
              CASE WHEN c.relkind = 'I' THEN 0 ELSE coalesce(pg_relation_size(c.oid), 0) END, coalesce(s.idx_scan, 0)
            FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
            JOIN pg_am m ON m.oid = c.relam LEFT JOIN pg_stat_user_indexes s ON s.indexrelid = i.indexrelid
            WHERE i.indrelid = ANY (?::oid[]) ORDER BY i.indexrelid LIMIT 20000""";

    static final String KEYS = """
            SELECT i.indexrelid, coalesce(a.attname::text, pg_get_indexdef(i.indexrelid, k.n, true)), a.attname IS NULL,
              coalesce(o.opcname, ''), coalesce(i.indcollation[k.n - 1]::int8, 0), coalesce(i.indoption[k.n - 1], 0),
              k.n <= i.indnkeyatts
            FROM pg_index i CROSS JOIN LATERAL generate_series(1, i.indnatts::int) k(n)
            LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k.n - 1] AND a.attnum <> 0
            LEFT JOIN pg_opclass o ON o.oid = i.indclass[k.n - 1]
            WHERE i.indrelid = ANY (?::oid[]) ORDER BY i.indexrelid, k.n LIMIT 60000""";

    static final String FOREIGN_KEYS = """
            SELECT k.conname, k.conrelid, k.confrelid, ARRAY(SELECT a.attname::text
                FROM unnest(k.conkey) WITH ORDINALITY u(n, place)
                JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.n ORDER BY u.place)
            FROM pg_constraint k WHERE k.contype = 'f' AND k.conparentid = 0 AND k.conrelid = ANY (?::oid[])
            ORDER BY k.oid LIMIT 20000""";

    static final String EXTENSIONS = "SELECT extname FROM pg_extension";

    static final String FUNCTIONS = "SELECT proname FROM pg_proc WHERE pronargs = 1 AND prokind = 'f'"
            + " AND pronamespace = 'pg_catalog'::regnamespace GROUP BY proname HAVING bool_and(provolatile = 'i')";

    static final String COSTS = "SELECT current_setting('seq_page_cost'), current_setting('random_page_cost'),"
            + " current_setting('cpu_tuple_cost'), current_setting('cpu_index_tuple_cost'),"
            + " current_setting('cpu_operator_cost')";

    static final String SINCE = "SELECT extract(epoch FROM stats_reset)::float8 FROM pg_stat_database"
            + " WHERE datname = current_database() AND stats_reset IS NOT NULL";

    static final String OPEN = """
            SELECT pid, coalesce(usename, ''), coalesce(application_name, ''), coalesce(state, '') LIKE 'idle in transaction%',
              extract(epoch FROM clock_timestamp() - xact_start)::float8,
              extract(epoch FROM clock_timestamp() - state_change)::float8
            FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'
              AND pid <> pg_backend_pid() AND xact_start < clock_timestamp() - make_interval(secs => 10)
            ORDER BY xact_start LIMIT 20""";

    static final String SCANS = "SELECT indexrelid, coalesce(idx_scan, 0) FROM pg_stat_user_indexes LIMIT 20000";

    private FactsQueries() {}
}
