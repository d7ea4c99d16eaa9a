package dev.pgproxy;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.demo.EmbeddedPostgres;
import dev.pgproxy.health.catalog.CatalogLoader;
import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.protocol.sql.SqlAnalyzer;
import dev.pgproxy.protocol.sql.StatementKind;
import dev.pgproxy.routing.catalog.CacheHindrance;
import dev.pgproxy.routing.catalog.Catalog;
import dev.pgproxy.routing.catalog.Hindrance;
import dev.pgproxy.routing.catalog.Reading;
import dev.pgproxy.routing.catalog.SearchPath;
import dev.pgproxy.routing.sql.Name;
import dev.pgproxy.routing.sql.ShapeReader;
import dev.pgproxy.routing.sql.StatementShape;
import dev.pgproxy.testing.ServerAddress;
import dev.pgproxy.testing.TestCluster;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.io.InputStream;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whether the catalog of a real database says the right thing of results that are to be kept. */
final class CacheFactsIT {
    private static final SearchPath PUBLIC = new SearchPath(List.of("public"));

    private static final String SCHEMA = """
            CREATE TABLE t (id int PRIMARY KEY, at timestamptz DEFAULT now(), day date, note text, doc jsonb);
            CREATE TABLE zoned (at timetz);
            CREATE UNLOGGED TABLE counters (id int);
            CREATE TABLE parted (id int) PARTITION BY RANGE (id);
            CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (1) TO (9);
            CREATE MATERIALIZED VIEW summary AS SELECT count(*), now() AS made FROM t;
            CREATE VIEW recent AS SELECT * FROM t WHERE at > now() - interval '1 day';
            CREATE VIEW over_recent AS SELECT count(*) FROM recent;
            CREATE VIEW dated AS SELECT * FROM t WHERE day = current_date;
            CREATE VIEW sampled AS SELECT * FROM t TABLESAMPLE system (50);
            CREATE VIEW aged AS SELECT age(at) FROM t;
            CREATE VIEW aged_between AS SELECT age(at, at) FROM t;
            CREATE VIEW tables AS SELECT * FROM information_schema.tables;
            CREATE VIEW searched AS SELECT * FROM t WHERE to_tsvector(note) @@ plainto_tsquery('x');
            CREATE VIEW written AS SELECT to_char(at, 'DD.MM.') || id AS x, at = day AS y, at::date AS z FROM t;
            CREATE VIEW utc AS SELECT at AT TIME ZONE 'UTC' AS x FROM t;
            CREATE VIEW zone AS SELECT at AT TIME ZONE 'Europe/Berlin' AS x FROM zoned;
            CREATE VIEW compared AS SELECT at::time < z.at AS x FROM zoned z;
            CREATE VIEW locks AS SELECT xmax FROM t;
            CREATE VIEW versions AS SELECT xmin, ctid, tableoid FROM t;
            CREATE VIEW mine AS SELECT * FROM t WHERE note = current_user;
            CREATE VIEW isolated AS SELECT current_setting('transaction_isolation') FROM t;
            CREATE FUNCTION tenant() RETURNS text LANGUAGE sql STABLE AS $$SELECT current_setting('app.tenant', true)$$;
            CREATE FUNCTION hidden_chance(int, int) RETURNS bool LANGUAGE sql STABLE AS 'SELECT random() < $1 + $2';
            CREATE OPERATOR ~~~ (LEFTARG = int, RIGHTARG = int, FUNCTION = hidden_chance);
            CREATE FUNCTION false_promise() RETURNS timestamptz LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN now(); END';
            CREATE FUNCTION any_text(q text) RETURNS int LANGUAGE plpgsql STABLE AS 'BEGIN EXECUTE q; RETURN 1; END';
            CREATE FUNCTION counted() RETURNS bigint LANGUAGE sql STABLE SET work_mem = '8MB' AS 'SELECT count(*) FROM t';
            CREATE FUNCTION nobody_said() RETURNS int LANGUAGE sql AS 'SELECT 1';
            CREATE AGGREGATE latest(timestamptz) (SFUNC = timestamptz_larger, STYPE = timestamptz);
            CREATE TABLE secrets (id int, tenant text);
            ALTER TABLE secrets ENABLE ROW LEVEL SECURITY;
            CREATE POLICY p ON secrets USING (tenant = current_setting('app.tenant'));
            CREATE TABLE timed_secrets (id int, until timestamptz);
            ALTER TABLE timed_secrets ENABLE ROW LEVEL SECURITY;
            CREATE POLICY p ON timed_secrets USING (until > clock_timestamp());
            """;

    /** Of pg_catalog; no result of these may ever be kept. */
    private static final String NEVER = """
            now transaction_timestamp statement_timestamp clock_timestamp timeofday age timetz timezone
            random gen_random_uuid bernoulli system setseed
            pg_backend_pid inet_client_addr inet_client_port inet_server_addr inet_server_port current_query
            pg_trigger_depth pg_my_temp_schema current_setting set_config pg_current_xact_id
            pg_current_xact_id_if_assigned pg_current_snapshot txid_current txid_current_if_assigned txid_current_snapshot
            txid_status pg_xact_status pg_sleep pg_sleep_for pg_sleep_until pg_is_in_recovery pg_current_wal_lsn
            pg_last_wal_replay_lsn pg_postmaster_start_time pg_conf_load_time version pg_stat_get_numscans
            pg_relation_size pg_database_size pg_read_file pg_ls_dir pg_blocking_pids pg_lock_status nextval setval currval
            lastval lo_get lo_put pg_advisory_lock pg_try_advisory_xact_lock pg_notify pg_listening_channels
            query_to_xml table_to_xml ts_stat ts_rewrite pg_get_viewdef pg_table_is_visible has_table_privilege
            to_regclass regclass regclassin regclassout format_type obj_description col_description pg_show_all_settings
            pg_timezone_names pg_cursor pg_prepared_statement pg_prepared_xact current_schema
            pg_last_committed_xact pg_sequence_last_value pg_export_snapshot pg_terminate_backend""";

    private static ServerAddress server;
    private static Connection connection;
    private static Catalog catalog;

    @BeforeAll
    static void loadTheSchema() throws SQLException {
        server = TestCluster.server();
        String database = TestCluster.freshDatabase(server);
        String url = "jdbc:postgresql://" + server.host() + ":" + server.port() + "/" + database;
        connection = DriverManager.getConnection(url, EmbeddedPostgres.SUPERUSER, TestCluster.PASSWORD);
        execute(SCHEMA);
        catalog = CatalogLoader.load(connection, 1);
    }

    @AfterAll
    static void disconnect() throws SQLException {
        connection.close();
    }

    @Test
    void aFunctionThatIsNotImmutableIsListedOrNotKept() throws Exception {
        Set<String> listed = listed();
        assertThat(listed).hasSizeGreaterThan(100).noneMatch(name -> name.contains("*"));
        Set<String> kept = new TreeSet<>();
        Set<String> names = names("provolatile <> 'i'");
        names.stream().filter(name -> calling(name).uncacheable() == null).forEach(kept::add);
        assertThat(names).hasSizeGreaterThan(500);
        assertThat(kept).isSubsetOf(listed);
        listed.retainAll(names);
        assertThat(kept).as("nothing else keeps what is listed").containsExactlyInAnyOrderElementsOf(listed);
    }

    @Test
    void aVolatileFunctionIsNeverKept() throws SQLException {
        for (String name : names("provolatile = 'v'")) {
            assertThat(calling(name).uncacheable()).as(name).isNotNull();
        }
    }

    @Test
    void whatMustNotBeKeptIsNot() throws SQLException {
        Set<String> all = names("true");
        List<String> never = List.of(NEVER.strip().split("\\s+"));
        assertThat(all).containsAll(never);
        for (String name : never) {
            assertThat(calling(name).uncacheable()).as(name).isNotNull();
        }
    }

    @Test
    void nearlyAllImmutableFunctionsAreKept() throws SQLException {
        Set<String> refused = names("true");
        refused.removeAll(names("provolatile <> 'i'"));
        int all = refused.size();
        refused.removeIf(name -> calling(name).uncacheable() == null);
        assertThat(refused)
                .as("of %d", all)
                .allMatch(name ->
                        calling(name).hindrance() != null || calling(name).uncacheable() == CacheHindrance.DEFINITIONS);
        assertThat(refused)
                .hasSizeLessThan(all / 50)
                .doesNotContain("lower", "sum", "count", "date_trunc", "jsonb_path_query");
    }

    /** The catalog has no rows for these: what they call is not seen in a statement's text. */
    @Test
    void behindOperatorsAndCastsOfPostgresIsNothingMomentaryButTimesWithAZone() throws Exception {
        Set<String> behind = column("SELECT DISTINCT proname FROM pg_proc p WHERE provolatile <> 'i' AND (EXISTS"
                + " (SELECT FROM pg_operator WHERE oprcode = p.oid AND oid < 16384) OR EXISTS"
                + " (SELECT FROM pg_cast WHERE castfunc = p.oid AND oid < 16384) OR EXISTS"
                + " (SELECT FROM pg_amproc WHERE amproc = p.oid AND oid < 16384))");
        assertThat(behind).hasSizeGreaterThan(30);
        behind.removeAll(listed());
        assertThat(behind).containsExactly("regclass", "timetz");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT * FROM t WHERE at < '2025-01-01' ORDER BY day LIMIT 3",
                "SELECT note, count(*), max(at) FROM t GROUP BY note HAVING count(*) > 1",
                "SELECT to_char(at, 'YYYY'), date_trunc('day', at), extract(epoch FROM at), at::date FROM t",
                "SELECT at AT TIME ZONE 'Europe/Berlin', at = day, at + interval '1 day' FROM t",
                "SELECT * FROM t WHERE to_tsvector(note) @@ plainto_tsquery('x')",
                "SELECT jsonb_agg(t), json_build_object('a', note), doc ->> 'x' FROM t GROUP BY note, doc",
                "SELECT * FROM generate_series('2025-01-01'::timestamptz, '2025-02-01', '1 day') g",
                "SELECT concat(note, at), format('%s', at), array_to_string(array_agg(at), ',') FROM t",
                "SELECT current_user, session_user, current_role, user, current_database()",
                "SELECT * FROM searched, written, utc, mine, versions, aged_between",
                "SELECT * FROM summary",
                "SELECT * FROM parted",
                "SELECT counted()",
                "SELECT latest(at) FROM t",
                "SELECT rank() OVER (ORDER BY id), lag(at) OVER () FROM t",
                "SELECT convert_from('x'::bytea, 'UTF8'), md5(note), 1::money::numeric FROM t",
                "VALUES (1, 'a')",
                "TABLE t",
                "WITH x AS (SELECT id FROM t) SELECT * FROM x JOIN parted USING (id)"
            })
    void keptAre(String sql) {
        Reading reading = reading(sql);
        assertThat(reading.uncacheable()).as(reading.toString()).isNull();
        assertThat(reading.dependsOnSettings()).isFalse();
        assertThat(reading.hindrance()).isNull();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "MOMENT | SELECT * FROM t WHERE at > now() - interval '1 day'",
                "MOMENT | SELECT * FROM t WHERE day = current_date",
                "MOMENT | SELECT * FROM t WHERE day = 'today'",
                "MOMENT | SELECT localtime, t.* FROM t",
                "MOMENT | SELECT clock_timestamp()",
                "MOMENT | SELECT statement_timestamp()",
                "MOMENT | SELECT timeofday()",
                "MOMENT | SELECT age(at) FROM t",
                "MOMENT | SELECT age(at, at) FROM t",
                "MOMENT | SELECT * FROM over_recent",
                "MOMENT | SELECT * FROM dated",
                "MOMENT | SELECT * FROM aged",
                "MOMENT | SELECT false_promise()",
                "MOMENT | SELECT * FROM timed_secrets",
                "MOMENT | SELECT at AT TIME ZONE 'UTC' FROM zoned",
                "MOMENT | SELECT * FROM zone",
                "MOMENT | SELECT * FROM compared",
                "MOMENT | SELECT at::time with time zone FROM t",
                "CHANCE | SELECT random() FROM t",
                "CHANCE | SELECT * FROM t ORDER BY random() LIMIT 1",
                "CHANCE | SELECT gen_random_uuid()",
                "CHANCE | SELECT * FROM t TABLESAMPLE bernoulli (10) REPEATABLE (1)",
                "CHANCE | SELECT * FROM sampled",
                "CHANCE | SELECT 1 ~~~ 2",
                "SESSION | SELECT pg_backend_pid()",
                "SESSION | SELECT inet_client_addr()",
                "SESSION | SELECT txid_current()",
                "SESSION | SELECT current_setting('transaction_isolation')",
                "SESSION | SELECT current_setting(note) FROM t",
                "SESSION | SELECT * FROM isolated",
                "SESSION | SELECT xmax FROM t",
                "SESSION | SELECT * FROM locks",
                "SESSION | SELECT pg_sleep(1)",
                "SESSION | SELECT nextval('s')",
                "HOST | SELECT pg_is_in_recovery()",
                "HOST | SELECT version()",
                "HOST | SELECT pg_table_size(1)",
                "DEFINITIONS | SELECT * FROM pg_class",
                "DEFINITIONS | SELECT * FROM pg_tables",
                "DEFINITIONS | SELECT * FROM pg_stat_activity",
                "DEFINITIONS | SELECT * FROM information_schema.columns",
                "DEFINITIONS | SELECT * FROM information_schema.information_schema_catalog_name",
                "DEFINITIONS | SELECT * FROM tables",
                "DEFINITIONS | SELECT tableoid::regclass FROM t",
                "DEFINITIONS | SELECT has_table_privilege('t', 'select')",
                "DEFINITIONS | SELECT obj_description(1, 'pg_class')",
                "VOLATILE_FUNCTION | SELECT nobody_said()",
                "UNKNOWN | SELECT any_text('SELECT 1')",
                "UNKNOWN | SELECT query_to_xml('SELECT 1', true, true, '')",
                "UNKNOWN | SELECT * FROM nowhere",
                "UNKNOWN | SELECT nothing()",
                "ROW_LOCK | SELECT * FROM t FOR UPDATE",
                "WRITE | UPDATE t SET note = 'x'",
                "WRITE | WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x",
                "NOT_A_QUERY | SHOW timezone",
                "NOT_A_QUERY | EXPLAIN SELECT * FROM t"
            })
    void notKeptAre(CacheHindrance hindrance, String sql) {
        Reading reading = reading(sql);
        assertThat(reading.uncacheable()).as(reading.toString()).isEqualTo(hindrance);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT * FROM secrets",
                "SELECT tenant()",
                "SELECT * FROM t WHERE note = current_setting('app.tenant')",
                "SELECT * FROM t WHERE note = pg_catalog.current_setting('app.tenant', true)"
            })
    void parametersOfTheUsersOwnAreInTheKey(String sql) {
        Reading reading = reading(sql);
        assertThat(reading.uncacheable()).as(reading.toString()).isNull();
        assertThat(reading.dependsOnSettings()).isTrue();
    }

    @Test
    void whatReplicasDoNotHaveIsKeptAndWhatIsOthersIsNot() throws SQLException {
        assertThat(reading("SELECT * FROM counters").hindrance()).isEqualTo(Hindrance.UNLOGGED_RELATION);
        assertThat(reading("SELECT * FROM counters").uncacheable()).isNull();
        assertThat(reading("SELECT now() FROM counters").uncacheable()).isEqualTo(CacheHindrance.MOMENT);
        execute("CREATE TEMP TABLE passing (a int)");
        Catalog loaded = catalog;
        try {
            catalog = CatalogLoader.load(connection, 2);
            assertThat(reading("SELECT * FROM passing").uncacheable()).isEqualTo(CacheHindrance.TEMPORARY_RELATION);
            assertThat(reading("SELECT * FROM passing").uncacheableCulprit()).isEqualTo("passing");
            if (!column("SELECT name FROM pg_available_extensions WHERE name = 'postgres_fdw'")
                    .isEmpty()) {
                execute("CREATE EXTENSION postgres_fdw; CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw;"
                        + " CREATE FOREIGN TABLE far_away (a int) SERVER far");
                catalog = CatalogLoader.load(connection, 3);
                assertThat(reading("SELECT * FROM far_away").uncacheable()).isEqualTo(CacheHindrance.FOREIGN_TABLE);
                execute("DROP EXTENSION postgres_fdw CASCADE");
            }
        } finally {
            catalog = loaded;
            execute("DROP TABLE passing");
        }
    }

    @Test
    void extensionsDoNotKeepAllStatementsFromTheCache() throws SQLException {
        for (String extension : column(
                "SELECT name FROM pg_available_extensions WHERE name IN ('citext', 'hstore',"
                        + " 'intarray', 'ltree', 'pg_trgm', 'pgcrypto', 'uuid-ossp', 'unaccent', 'cube', 'isn', 'btree_gist')")) {
            execute("CREATE EXTENSION \"" + extension + "\"");
            Reading reading = CatalogLoader.load(connection, 4).reading(shape("SELECT * FROM t"), PUBLIC);
            assertThat(reading.uncacheable()).as("%s: %s", extension, reading).isNull();
            execute("DROP EXTENSION \"" + extension + "\" CASCADE");
        }
    }

    private static Set<String> listed() throws IOException {
        try (InputStream in = Objects.requireNonNull(Catalog.class.getResourceAsStream("cacheable-functions.txt"))) {
            return new String(in.readAllBytes(), UTF_8)
                    .lines()
                    .filter(line -> !line.startsWith("#"))
                    .flatMap(Pattern.compile("\\s+")::splitAsStream)
                    .collect(Collectors.toCollection(HashSet::new));
        }
    }

    private static Set<String> names(String condition) throws SQLException {
        return column("SELECT DISTINCT proname FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace"
                + " AND oid < 16384 AND " + condition);
    }

    private static Set<String> column(String query) throws SQLException {
        Set<String> values = new TreeSet<>();
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(query)) {
            while (rows.next()) {
                values.add(rows.getString(1));
            }
        }
        return values;
    }

    private static Reading calling(String function) {
        Set<Name> names = Set.of(new Name("pg_catalog", function));
        return catalog.reading(
                new StatementShape(
                        StatementKind.SELECT, 0, true, Set.of(), Set.of(), Set.of(), names, Set.of(), Set.of()),
                PUBLIC);
    }

    private static Reading reading(String sql) {
        return catalog.reading(shape(sql), PUBLIC);
    }

    private static StatementShape shape(String sql) {
        byte[] text = sql.getBytes(UTF_8);
        QueryFacts facts = new SqlAnalyzer().analyze(Unpooled.wrappedBuffer(text), 0, text.length, true, false);
        return new ShapeReader().read(text, facts, true);
    }

    private static void execute(String text) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(text);
        }
    }
}
