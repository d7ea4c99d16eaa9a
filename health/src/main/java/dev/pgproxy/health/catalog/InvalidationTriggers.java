package dev.pgproxy.health.catalog;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The triggers by which a database tells of its writes itself: {@code NOTIFY pgproxy_invalidate, 'oid:...'} once per
 * statement, which PostgreSQL sends once per transaction and table. They are triggers of statements, so a partition and each
 * table above it need one, and what a subscription applies fires none (manual, Logical Replication: Architecture). They
 * never make a statement fail: nothing in them needs a right or a search_path, nothing is sent while the queue is more than
 * half full, since a commit fails when it is full, and nothing where transactions may be prepared, since one that
 * has sent a notification cannot be (src/backend/commands/async.c). Immutable.
 */
public final class InvalidationTriggers {
    /** Of the function. */
    public static final String SCHEMA = "pgproxy";

    /** Of each trigger. */
    public static final String NAME = "pgproxy_invalidate";

    private static final String SEND =
            "PERFORM pg_catalog.pg_notify('pgproxy_invalidate'," + " pg_catalog.concat('oid:', TG_RELID));";

    private static final String NOT_FULL = "pg_catalog.pg_notification_queue_usage() OPERATOR(pg_catalog.<) 0.5";

    /** The body of the function; which one it is decides whether its triggers tell anything. */
    private static final String BODY = """

            BEGIN
                IF pg_catalog.current_setting('max_prepared_transactions') OPERATOR(pg_catalog.=) '0'
                    AND $notfull THEN
                    $send
                END IF;
                RETURN NULL;
            END
            """.replace("$notfull", NOT_FULL).replace("$send", SEND);

    /** The same where transactions may be prepared, which then fails for those that have written. */
    private static final String FAILING_BODY = """

            BEGIN
                IF $notfull THEN
                    $send
                END IF;
                RETURN NULL;
            END
            """.replace("$notfull", NOT_FULL).replace("$send", SEND);

    /**
     * A query for the tables whose triggers tell of INSERT, UPDATE, DELETE and TRUNCATE, wherever these come from. The
     * numbers are bits of tgtype (src/include/catalog/pg_trigger.h): 67 = ROW, BEFORE, INSTEAD; 60 = the four events.
     */
    static final String TELLING = """
            SELECT g.tgrelid FROM pg_catalog.pg_trigger g JOIN pg_catalog.pg_proc p ON p.oid = g.tgfoid
              JOIN pg_catalog.pg_language l ON l.oid = p.prolang JOIN pg_catalog.pg_namespace f ON f.oid = p.pronamespace
            WHERE f.nspname = 'pgproxy' AND p.proname = 'invalidate' AND l.lanname = 'plpgsql'
              AND (p.prosrc = $failing$$failingbody$failing$
                OR p.prosrc = $body$$safebody$body$ AND pg_catalog.current_setting('max_prepared_transactions') = '0')
              AND g.tgenabled = 'A' AND g.tgtype::int & 67 = 0 AND g.tgqual IS NULL AND g.tgattr::text = ''
              AND NOT EXISTS (SELECT FROM pg_catalog.pg_subscription_rel s WHERE s.srrelid = g.tgrelid)
            GROUP BY g.tgrelid HAVING pg_catalog.bit_or(g.tgtype::int) & 60 = 60""".replace("$failingbody", FAILING_BODY).replace("$safebody", BODY);

    private static final String TABLES = """
            SELECT n.nspname, c.relname, pg_catalog.format('%I.%I', n.nspname, c.relname),
              pg_catalog.pg_has_role(c.relowner, 'USAGE'),
              c.oid IN ($telling),
              EXISTS (SELECT FROM pg_catalog.pg_trigger g JOIN pg_catalog.pg_proc p ON p.oid = g.tgfoid
                JOIN pg_catalog.pg_namespace f ON f.oid = p.pronamespace
                WHERE g.tgrelid = c.oid AND f.nspname = 'pgproxy' AND p.proname = 'invalidate'),
              CASE WHEN c.relkind = 'f' THEN 'a foreign table: reads of it are not cached'
                WHEN c.relkind = 'm' THEN 'a materialized view has no triggers: say NOTIFY after REFRESH'
                WHEN c.oid IN (SELECT s.srrelid FROM pg_catalog.pg_subscription_rel s)
                  THEN 'a subscription writes it, and that fires no triggers of statements' END
            FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind IN ('r', 'p', 'f', 'm') AND c.relpersistence <> 't' AND c.oid >= 16384
              AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pgproxy') AND n.nspname NOT LIKE 'pg\\_toast%'
            ORDER BY 1, 2""".replace("$telling", TELLING);

    private InvalidationTriggers() {}

    /**
     * A table, as far as triggers are concerned. Immutable.
     *
     * @param quoted its schema and name for use in SQL
     * @param owned whether the user may alter it
     * @param telling whether its triggers tell all
     * @param touched whether it has any of them
     * @param impossible why it can have none that tell all; null if it can
     */
    public record Table(
            String schema,
            String name,
            String quoted,
            boolean owned,
            boolean telling,
            boolean touched,
            @Nullable String impossible) {}

    /** The tables of users, by name. */
    public static List<Table> tables(Connection connection) throws SQLException {
        return CatalogQueries.rows(
                connection,
                TABLES,
                row -> new Table(
                        row.getString(1),
                        row.getString(2),
                        row.getString(3),
                        row.getBoolean(4),
                        row.getBoolean(5),
                        row.getBoolean(6),
                        row.getString(7)));
    }

    /** What every table's triggers need; the same again changes nothing. */
    public static List<String> shared(boolean preparedFailing) {
        return List.of(
                "CREATE SCHEMA IF NOT EXISTS pgproxy",
                "CREATE OR REPLACE FUNCTION pgproxy.invalidate() RETURNS trigger LANGUAGE plpgsql AS $body$"
                        + (preparedFailing ? FAILING_BODY : BODY) + "$body$");
    }

    /** For one table, in one transaction, in the place of what it has. Locks it against writes for a moment. */
    public static List<String> install(Table table) {
        List<String> statements = new ArrayList<>();
        if (table.touched()) {
            statements.add(drop(table));
        }
        statements.add("CREATE TRIGGER " + NAME + " AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON " + table.quoted()
                + " FOR EACH STATEMENT EXECUTE FUNCTION pgproxy.invalidate()");
        // also where session_replication_role = replica
        statements.add("ALTER TABLE ONLY " + table.quoted() + " ENABLE ALWAYS TRIGGER " + NAME);
        return List.copyOf(statements);
    }

    /** Away with what {@link #install} made. */
    public static String drop(Table table) {
        return "DROP TRIGGER IF EXISTS " + NAME + " ON " + table.quoted();
    }

    /** Away with {@link #shared}; fails, and changes nothing, if something else depends on it. */
    public static List<String> dropShared() {
        return List.of("DROP FUNCTION IF EXISTS pgproxy.invalidate()", "DROP SCHEMA IF EXISTS pgproxy");
    }

    /** Whether the function is there that triggers need, and tells something. */
    public static boolean hasShared(Connection connection, boolean preparedFailing) throws SQLException {
        try (PreparedStatement ask = connection.prepareStatement("SELECT 1 FROM pg_catalog.pg_proc p"
                + " JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace"
                + " WHERE n.nspname = 'pgproxy' AND p.proname = 'invalidate' AND p.prosrc = ?")) {
            ask.setString(1, preparedFailing ? FAILING_BODY : BODY);
            try (ResultSet row = ask.executeQuery()) {
                return row.next();
            }
        }
    }

    /** Whether triggers are left that need the function. */
    public static boolean areLeft(Connection connection) throws SQLException {
        return !CatalogQueries.rows(
                        connection,
                        "SELECT 1 FROM pg_catalog.pg_trigger g JOIN pg_catalog.pg_proc p ON p.oid = g.tgfoid"
                                + " JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace"
                                + " WHERE n.nspname = 'pgproxy' AND p.proname = 'invalidate' LIMIT 1",
                        row -> row.getInt(1))
                .isEmpty();
    }
}
