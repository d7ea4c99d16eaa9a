package dev.pgproxy.health.catalog;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;

/**
 * The queries of {@link CatalogLoader}, for PostgreSQL 13 to 18. Their OIDs are those of the running snapshot, and stored
 * expressions come as trees, not by pg_get_expr and its like: those read by a snapshot of their own and wait for locks.
 * Immutable.
 */
final class CatalogQueries {
    static final String RELATIONS = """
            SELECT c.oid, n.nspname, c.relname, c.relkind, c.relpersistence, c.relrowsecurity,
              c.oid IN (SELECT a.attrelid FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
                WHERE 'timetz'::regtype IN (t.oid, t.typbasetype, t.typelem)),
              c.oid IN ($telling)
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')""".replace("$telling", InvalidationTriggers.TELLING);

    /** Partitioned indexes have rows there too. */
    static final String INHERITANCE = """
            SELECT i.inhparent, i.inhrelid
            FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
            WHERE c.relkind IN ('r', 'p', 'f')""";

    static final String FOREIGN_KEYS = """
            SELECT conrelid, confrelid, confdeltype, confupdtype,
              ARRAY(SELECT attname::text FROM unnest(conkey) WITH ORDINALITY AS k(n, i)
                JOIN pg_attribute ON attrelid = conrelid AND attnum = n ORDER BY i),
              ARRAY(SELECT attname::text FROM unnest(confkey) WITH ORDINALITY AS k(n, i)
                JOIN pg_attribute ON attrelid = confrelid AND attnum = n ORDER BY i)
            FROM pg_constraint WHERE contype = 'f'""";

    static final String TRIGGERS =
            "SELECT tgrelid, tgfoid, tgqual::text FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'";

    static final String DEFINITIONS = """
            SELECT ev_class, CASE WHEN ev_type = '1' THEN 'VIEW' ELSE 'RULE' END, ev_qual::text, ev_action::text
            FROM pg_rewrite WHERE ev_enabled <> 'D'
            UNION ALL SELECT polrelid, 'POLICY', polqual::text, polwithcheck::text FROM pg_policy
            UNION ALL SELECT adrelid, 'EXPRESSION', adbin::text, NULL FROM pg_attrdef
            UNION ALL SELECT conrelid, 'EXPRESSION', conbin::text, NULL FROM pg_constraint
            WHERE contype = 'c' AND conrelid <> 0
            UNION ALL SELECT indrelid, 'EXPRESSION', indexprs::text, indpred::text FROM pg_index
            WHERE indexprs IS NOT NULL OR indpred IS NOT NULL""";

    /** Serial and identity columns own their sequence; a default may name any other. */
    static final String SEQUENCES = """
            SELECT d.refobjid, d.objid FROM pg_depend d JOIN pg_class c ON c.oid = d.objid
            WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
            AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0 AND c.relkind = 'S'
            UNION SELECT a.adrelid, d.refobjid FROM pg_depend d
            JOIN pg_attrdef a ON a.oid = d.objid JOIN pg_class c ON c.oid = d.refobjid
            WHERE d.classid = 'pg_attrdef'::regclass AND d.refclassid = 'pg_class'::regclass AND c.relkind = 'S'""";

    static final String OPERATORS = """
            SELECT o.oid, n.nspname, o.oprname, o.oprcode::oid FROM pg_operator o
            JOIN pg_namespace n ON n.oid = o.oprnamespace WHERE o.oid >= 16384 AND o.oprcode <> 0""";

    static final String CASTS = """
            SELECT t.typname, c.castfunc, c.castcontext <> 'e' FROM pg_cast c JOIN pg_type t ON t.oid = c.casttarget
            WHERE c.oid >= 16384 AND c.castfunc <> 0""";

    static final String TYPES = """
            SELECT t.oid, n.nspname, t.typname, t.typinput::oid, t.typbasetype
            FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
            LEFT JOIN pg_class c ON c.oid = t.typrelid
            WHERE t.typcategory <> 'A' AND (t.typtype <> 'c' OR c.relkind = 'c')""";

    static final String DOMAIN_CHECKS =
            "SELECT contypid, conbin::text FROM pg_constraint WHERE contype = 'c' AND contypid <> 0";

    /** PostgreSQL 14 brought SQL-standard bodies. */
    private static final int WITH_SQL_BODIES = 14;

    private CatalogQueries() {}

    /** What can be written as value.name has one argument without default, of a composite or a polymorphic type. */
    static String functions(int majorVersion) {
        String body = majorVersion >= WITH_SQL_BODIES ? "p.prosqlbody::text" : "NULL";
        return """
                SELECT p.oid, n.nspname, p.proname, p.prokind, p.provolatile, l.lanname,
                  CASE WHEN l.lanname IN ('sql', 'plpgsql') THEN p.prosrc END, $body, p.proargdefaults::text,
                  coalesce(p.pronargs > 0 AND p.pronargs - p.pronargdefaults <= 1
                    AND (t.typtype = 'c' OR b.typtype = 'c' OR t.typtype = 'p' AND t.typname NOT IN ('internal', 'cstring')),
                    false),
                  (SELECT substr(s, length('search_path=') + 1) FROM unnest(p.proconfig) AS s
                    WHERE s LIKE 'search\\_path=%'),
                  CASE WHEN p.prokind = 'a' THEN (SELECT concat_ws(' ', g.aggtransfn::oid, g.aggfinalfn::oid,
                    g.aggcombinefn::oid, g.aggserialfn::oid, g.aggdeserialfn::oid, g.aggmtransfn::oid, g.aggminvtransfn::oid,
                    g.aggmfinalfn::oid) FROM pg_aggregate g WHERE g.aggfnoid = p.oid) END
                FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
                LEFT JOIN pg_type t ON t.oid = p.proargtypes[0] LEFT JOIN pg_type b ON b.oid = nullif(t.typbasetype, 0)""".replace("$body", body);
    }

    /** Makes a value of the current row. */
    @FunctionalInterface
    interface Row<T> {
        T read(ResultSet row) throws SQLException;
    }

    static <T> List<T> rows(Connection connection, String query, Row<T> row) throws SQLException {
        List<T> rows = new ArrayList<>();
        try (Statement statement = connection.createStatement();
                ResultSet results = statement.executeQuery(query)) {
            while (results.next()) {
                rows.add(row.read(results));
            }
        }
        return rows;
    }
}
