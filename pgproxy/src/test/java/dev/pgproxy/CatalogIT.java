package dev.pgproxy;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.demo.EmbeddedPostgres;
import dev.pgproxy.health.catalog.CatalogLoader;
import dev.pgproxy.protocol.sql.StatementFlags;
import dev.pgproxy.protocol.sql.StatementKind;
import dev.pgproxy.routing.catalog.Catalog;
import dev.pgproxy.routing.catalog.Hindrance;
import dev.pgproxy.routing.catalog.Reading;
import dev.pgproxy.routing.catalog.RelationSet;
import dev.pgproxy.routing.catalog.SearchPath;
import dev.pgproxy.routing.sql.Name;
import dev.pgproxy.routing.sql.StatementShape;
import dev.pgproxy.testing.ServerAddress;
import dev.pgproxy.testing.TestCluster;
import java.io.InputStream;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What the catalog of a real database says about statements, on a schema that hides much (catalog.sql). */
final class CatalogIT {
    private static final SearchPath PUBLIC = new SearchPath(List.of("public"));

    private static final String DANGEROUS = """
            pg_advisory_lock pg_advisory_lock_shared pg_advisory_unlock pg_advisory_unlock_all pg_advisory_xact_lock
            pg_try_advisory_lock pg_try_advisory_xact_lock pg_current_wal_lsn pg_current_wal_insert_lsn
            pg_current_wal_flush_lsn pg_last_wal_replay_lsn pg_last_wal_receive_lsn pg_is_in_recovery txid_current
            pg_current_xact_id txid_current_if_assigned pg_current_snapshot txid_status pg_xact_status pg_notify
            nextval setval currval lastval lo_create lo_import lo_export lo_unlink lo_put lo_get loread lowrite
            pg_read_file pg_read_binary_file pg_ls_dir pg_stat_file pg_backend_pid inet_server_addr inet_server_port
            inet_client_addr pg_stat_get_activity pg_stat_get_numscans pg_stat_reset pg_export_snapshot set_config
            current_setting pg_terminate_backend pg_cancel_backend pg_reload_conf pg_rotate_logfile query_to_xml
            table_to_xml schema_to_xml database_to_xml cursor_to_xml ts_stat ts_rewrite pg_switch_wal
            pg_create_restore_point pg_logical_emit_message pg_create_logical_replication_slot pg_promote
            pg_postmaster_start_time pg_conf_load_time pg_lock_status pg_blocking_pids pg_listening_channels setseed
            pg_prepared_statement pg_cursor pg_show_all_settings pg_database_size pg_relation_size version
            pg_xact_commit_timestamp pg_last_committed_xact pg_walfile_name pg_sequence_last_value""";

    private static ServerAddress server;
    private static String database;
    private static Connection connection;
    private static Catalog catalog;

    @BeforeAll
    static void loadTheSchema() throws Exception {
        server = TestCluster.server();
        database = TestCluster.freshDatabase(server);
        connection = connect(EmbeddedPostgres.SUPERUSER, TestCluster.PASSWORD);
        try (InputStream in = CatalogIT.class.getResourceAsStream("catalog.sql")) {
            execute(new String(in.readAllBytes(), UTF_8));
        }
        if (major() >= 14) {
            execute(
                    "CREATE FUNCTION standard(int) RETURNS bigint LANGUAGE sql STABLE"
                            + " BEGIN ATOMIC SELECT count(*) FROM public.invoices WHERE order_id = customer_name($1)::int; END");
            execute("CREATE FUNCTION standard_write() RETURNS void LANGUAGE sql"
                    + " BEGIN ATOMIC INSERT INTO public.lonely VALUES (public.add_one(1)); END");
        }
        catalog = CatalogLoader.load(connection, 7);
    }

    @AfterAll
    static void disconnect() throws SQLException {
        connection.close();
    }

    @Test
    void viewsAreWhatTheyRead() {
        assertThat(reads(reading("app.biggest"))).containsExactly("public.customers", "public.orders");
        assertThat(reading("app.biggest").hindrance()).isNull();
        assertThat(reads(reading("over_summary"))).containsExactly("public.summary");
        assertThat(reads(reading("today"))).containsExactly("public.same");
        assertThat(reading("today").transactionBound()).isTrue();
        assertThat(reading("big_orders").transactionBound()).isFalse();
    }

    @Test
    void viewsOverWhatIsNotHarmlessAreNotHarmless() {
        assertHindered(reading("over_logging"), Hindrance.VOLATILE_FUNCTION, "log_it");
        assertThat(touched(reading("over_logging"))).contains("app.таблица");
        assertHindered(reading("host_view"), Hindrance.HOST_STATE, "pg_is_in_recovery");
        assertThat(reading("stat_view").hindrance()).isEqualTo(Hindrance.HOST_STATE);
        assertHindered(reading("numbered"), Hindrance.SESSION_STATE, "nextval");
        assertThat(touched(reading("numbered"))).contains("public.tickets");
        assertThat(reading("locking").hindrance()).isEqualTo(Hindrance.ROW_LOCK);
        assertHindered(reading("nearby"), Hindrance.VOLATILE_FUNCTION, "near");
        assertHindered(reading("cast_view"), Hindrance.VOLATILE_FUNCTION, "log_it");
        assertHindered(reading("settings_view"), Hindrance.HOST_STATE, "current_setting");
        assertThat(reading("tenants").hindrance()).isNull();
    }

    @Test
    void systemViewsFallToTheFunctionsThatTheyCall() {
        for (String view : List.of(
                "pg_stat_activity",
                "pg_locks",
                "pg_settings",
                "pg_stat_replication",
                "pg_prepared_statements",
                "pg_cursors",
                "pg_replication_slots",
                "pg_sequences",
                "pg_prepared_xacts",
                "pg_stat_wal_receiver")) {
            assertThat(reading(view).isHarmless()).as(view).isFalse();
        }
        for (String view : List.of(
                "pg_tables",
                "pg_views",
                "pg_indexes",
                "information_schema.columns",
                "information_schema.tables",
                "pg_class",
                "pg_roles")) {
            Reading reading = reading(view);
            assertThat(reading.hindrance()).as(view).isNull();
            assertThat(reading.reads().size()).as(view).isPositive();
            assertThat(catalog.isSystem(reading.reads().id(0))).as(view).isTrue();
        }
    }

    @Test
    void parentsAreReadWithTheirDescendants() {
        assertThat(reads(reading("events")))
                .containsExactly("public.events", "public.events_2025", "public.events_2025_1", "public.events_2026");
        assertThat(reads(reading("events_2025"))).containsExactly("public.events_2025", "public.events_2025_1");
        assertThat(reads(reading("animals"))).containsExactly("public.animals", "public.dogs", "public.puppies");
        assertThat(touched(writing("events_2025_1")))
                .containsExactly("public.events", "public.events_2025", "public.events_2025_1");
        assertThat(touched(writing("dogs"))).containsExactly("public.animals", "public.dogs", "public.puppies");
    }

    @Test
    void writesCascadeOverForeignKeysTriggersRulesAndDefaults() {
        assertThat(touched(writing("customers")))
                .containsExactly(
                        "public.audit",
                        "public.audit_copy",
                        "public.customers",
                        "public.customers_id_seq",
                        "public.item_notes",
                        "public.order_items",
                        "public.orders",
                        "public.orders_id_seq");
        assertThat(touched(writing("invoices"))).containsExactly("public.invoices");
        assertThat(touched(writing("audit"))).containsExactly("public.audit", "public.audit_copy");
        assertThat(writing("anywhere").writes()).isEqualTo(RelationSet.ALL);
        assertThat(touched(writing("quiet"))).containsExactly("public.quiet");
        assertThat(touched(writing("defaulted"))).containsExactly("app.таблица", "public.defaulted", "public.tickets");
        assertThat(touched(writing("hooked"))).containsExactly("public.lonely", "public.same");
        assertThat(touched(writing("big_orders"))).contains("public.orders", "public.order_items");
        assertThat(touched(writing(StatementKind.TRUNCATE, "orders")))
                .contains("public.invoices", "public.order_items");
        assertThat(touched(writing(StatementKind.REFRESH, "summary"))).containsExactly("public.summary");
        assertThat(writing("customers").hindrance()).isEqualTo(Hindrance.WRITE);
    }

    @Test
    void definitionsTouchEverything() {
        for (StatementKind kind : List.of(StatementKind.CREATE, StatementKind.GRANT, StatementKind.DO)) {
            assertThat(writing(kind, "lonely").writes()).as(kind.name()).isEqualTo(RelationSet.ALL);
        }
        assertThat(writing("not_there").writes()).isEqualTo(RelationSet.ALL);
    }

    @Test
    void proceduresTouchWhatTheirBodiesName() {
        assertThat(touched(calling(StatementKind.CALL, "settle"))).containsExactly("public.invoices");
        assertThat(calling(StatementKind.CALL, "rebuild").writes()).isEqualTo(RelationSet.ALL);
        assertThat(touched(calling("empties"))).contains("public.invoices", "public.orders", "public.customers");
    }

    @Test
    void functionsGoByTheWorstOverloadUnderThePath() {
        assertThat(calling("add_one").isHarmless()).isTrue();
        assertHindered(calling("mixed"), Hindrance.VOLATILE_FUNCTION, "mixed");
        assertThat(calling("app.twice").isHarmless()).isTrue();
        assertThat(calling("other.twice").isHarmless()).isFalse();
        assertThat(catalog.reading(call("twice"), new SearchPath(List.of("app")))
                        .isHarmless())
                .isTrue();
        assertThat(catalog.reading(call("twice"), new SearchPath(List.of("app", "other")))
                        .isHarmless())
                .isFalse();
        assertThat(catalog.reading(call("twice"), SearchPath.ANY).isHarmless()).isFalse();
        assertHindered(calling("twice"), Hindrance.UNKNOWN_FUNCTION, "twice");
    }

    @Test
    void functionsAreWhatTheirBodiesReach() {
        assertThat(reads(calling("customer_name"))).containsExactly("public.customers");
        assertThat(calling("customer_name").isHarmless()).isTrue();
        assertHindered(calling("stable_that_logs"), Hindrance.VOLATILE_FUNCTION, "log_it");
        assertThat(touched(calling("stable_that_logs"))).containsExactly("app.таблица");
        assertHindered(calling("asks_the_host"), Hindrance.HOST_STATE, "pg_is_in_recovery");
        assertThat(calling("runs_text").reads()).isEqualTo(RelationSet.ALL);
        assertThat(calling("runs_text").writes()).isEqualTo(RelationSet.NONE);
        assertThat(calling("writes_text").writes()).isEqualTo(RelationSet.ALL);
        assertThat(reads(calling("own_path"))).containsExactly("other.same");
        assertThat(reads(calling("any_path"))).containsExactly("other.same", "public.same");
        assertHindered(calling("with_default"), Hindrance.VOLATILE_FUNCTION, "log_it");
        assertThat(calling("since_start").transactionBound()).isTrue();
        assertThat(calling("add_one").transactionBound()).isFalse();
        assertThat(reads(calling("loop_a"))).containsExactly("public.lonely");
        assertThat(calling("tenant").isHarmless()).isTrue();
        assertThat(calling("lister").isHarmless()).isFalse();
        assertHindered(calling("gather"), Hindrance.VOLATILE_FUNCTION, "state");
        if (major() >= 14) {
            assertThat(reads(calling("standard"))).containsExactly("public.customers", "public.invoices");
            assertThat(touched(calling("standard_write"))).containsExactly("public.lonely");
        }
    }

    @Test
    void rowSecurityIsReadWithItsTable() {
        assertThat(reads(reading("secrets"))).containsExactly("public.lonely", "public.permissions", "public.secrets");
        assertThat(reads(reading("open_secrets"))).containsExactly("public.open_secrets");
        assertHindered(reading("watched"), Hindrance.VOLATILE_FUNCTION, "log_it");
    }

    @Test
    void operatorsCastsTypesAndAttributesCall() {
        assertHindered(shape(List.of("same"), "", "~=~", ""), Hindrance.VOLATILE_OPERATOR, "near");
        assertThat(reads(shape(List.of("same"), "", "?=", ""))).containsExactly("public.permissions", "public.same");
        assertHindered(shape(List.of("same"), "", "", "money_amount"), Hindrance.VOLATILE_OPERATOR, "to_amount");
        assertHindered(shape(List.of("same"), "", "", "checked"), Hindrance.VOLATILE_OPERATOR, "log_it");
        assertHindered(shape(List.of("same"), "", "", "checked_twice"), Hindrance.VOLATILE_OPERATOR, "log_it");
        assertThat(shape(List.of("same"), "", "", "plain").isHarmless()).isTrue();
        assertThat(reads(shape(List.of("customers"), "", "", "full_name")))
                .containsExactly("public.customers", "public.order_items");
        assertThat(calling("date").isHarmless()).isTrue();
        assertThat(calling("int4").isHarmless()).isTrue();
        assertThat(calling("plain").isHarmless()).isTrue();
    }

    @Test
    void anImplicitOperatorOrCastHindersEveryStatement() throws SQLException {
        execute(
                "CREATE FUNCTION amount_is(money_amount, int) RETURNS bool LANGUAGE sql VOLATILE AS 'SELECT true'",
                "CREATE OPERATOR = (LEFTARG = money_amount, RIGHTARG = int, FUNCTION = amount_is)");
        try {
            Catalog hindered = CatalogLoader.load(connection, 8);
            assertHindered(hindered.reading(select("lonely"), PUBLIC), Hindrance.VOLATILE_OPERATOR, "amount_is");
        } finally {
            execute("DROP FUNCTION amount_is CASCADE");
        }
        assertThat(CatalogLoader.load(connection, 9)
                        .reading(select("lonely"), PUBLIC)
                        .isHarmless())
                .isTrue();
    }

    @Test
    void namesMeanWhatTheSearchPathSays() {
        assertThat(reads(reading("same"))).containsExactly("public.same");
        assertThat(reads(reading("other.same"))).containsExactly("other.same");
        assertThat(reads(catalog.reading(select("same"), new SearchPath(List.of("other", "public")))))
                .containsExactly("other.same");
        assertThat(reads(catalog.reading(select("same"), SearchPath.ANY))).containsExactly("other.same", "public.same");
        assertHindered(reading("таблица"), Hindrance.UNKNOWN_RELATION, "таблица");
        assertThat(reads(reading("app.таблица"))).containsExactly("app.таблица");
        assertThat(reads(reading("app.Odd \"Name"))).containsExactly("app.Odd \"Name");
        assertThat(reading("pg_temp.x").hindrance()).isEqualTo(Hindrance.UNKNOWN_RELATION);
    }

    @Test
    void someRelationsAreNotOnReplicas() throws SQLException {
        assertHindered(reading("counters"), Hindrance.UNLOGGED_RELATION, "counters");
        assertThat(reading("tickets").hindrance()).isEqualTo(Hindrance.SESSION_STATE);
        execute("CREATE TEMP TABLE mine (a int)", "CREATE TEMP TABLE lonely (a int)");
        try {
            Catalog seen = CatalogLoader.load(connection, 8);
            assertHindered(seen.reading(select("mine"), PUBLIC), Hindrance.TEMPORARY_RELATION, "mine");
            assertHindered(seen.reading(select("pg_temp.lonely"), PUBLIC), Hindrance.TEMPORARY_RELATION, "lonely");
            assertThat(seen.reading(select("lonely"), PUBLIC).isHarmless()).isTrue();
        } finally {
            execute("DROP TABLE mine, pg_temp.lonely");
        }
        if (available("postgres_fdw")) {
            execute(
                    "CREATE EXTENSION postgres_fdw",
                    "CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw",
                    "CREATE FOREIGN TABLE far_away (a int) SERVER far",
                    "CREATE FOREIGN TABLE events_far PARTITION OF events_2025 FOR VALUES IN (9) SERVER far");
            try {
                Catalog seen = CatalogLoader.load(connection, 8);
                assertHindered(seen.reading(select("far_away"), PUBLIC), Hindrance.FOREIGN_TABLE, "far_away");
                assertHindered(seen.reading(select("events"), PUBLIC), Hindrance.FOREIGN_TABLE, "events_far");
            } finally {
                execute("DROP EXTENSION postgres_fdw CASCADE");
            }
        }
    }

    @Test
    void functionsOfExtensionsAreBelievedOrKnown() throws SQLException {
        for (String extension : List.of("pgcrypto", "uuid-ossp", "dblink", "tablefunc", "citext", "lo")) {
            if (available(extension)) {
                execute("CREATE EXTENSION \"" + extension + "\"");
            }
        }
        Catalog seen = CatalogLoader.load(connection, 8);
        if (available("pgcrypto")) {
            assertThat(seen.reading(call("digest", "gen_random_bytes"), PUBLIC).isHarmless())
                    .isTrue();
        }
        if (available("dblink")) {
            assertThat(seen.reading(call("dblink"), PUBLIC).writes()).isEqualTo(RelationSet.ALL);
            assertThat(seen.reading(call("dblink_exec"), PUBLIC).hindrance()).isEqualTo(Hindrance.VOLATILE_FUNCTION);
        }
        if (available("tablefunc")) {
            assertThat(seen.reading(call("crosstab"), PUBLIC).hindrance()).isEqualTo(Hindrance.VOLATILE_FUNCTION);
        }
        assertThat(seen.reading(select("customers"), PUBLIC).isHarmless())
                .as("citext's = is harmless")
                .isTrue();
    }

    @Test
    void dangerousFunctionsOfPostgresAreNeverHarmless() throws SQLException {
        List<String> dangerous = Arrays.asList(DANGEROUS.split("\\s+"));
        Set<String> harmless = new TreeSet<>();
        int all = 0;
        try (Statement statement = connection.createStatement();
                ResultSet names = statement.executeQuery(
                        "SELECT DISTINCT proname FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace")) {
            while (names.next()) {
                all++;
                if (calling(names.getString(1)).isHarmless()) {
                    harmless.add(names.getString(1));
                }
            }
        }
        assertThat(harmless).doesNotContainAnyElementsOf(dangerous);
        assertThat(harmless.stream().filter(name -> name.startsWith("pg_stat_get_")))
                .isEmpty();
        assertThat(harmless)
                .contains(
                        "count", "sum", "now", "lower", "to_char", "format_type", "pg_get_expr", "pg_table_is_visible")
                .contains(
                        "random", "gen_random_uuid", "pg_sleep", "jsonb_agg", "has_table_privilege", "current_schema");
        assertThat(harmless.size()).as("of %s", all).isGreaterThan(all * 7 / 10);
    }

    @Test
    void noOperatorOrCastOfPostgresItselfIsVolatile() throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet names = statement.executeQuery("SELECT proname FROM pg_proc WHERE oid IN ("
                        + "SELECT oprcode FROM pg_operator WHERE oid < 16384 UNION"
                        + " SELECT castfunc FROM pg_cast WHERE oid < 16384)")) {
            while (names.next()) {
                assertThat(calling(names.getString(1)).hindrance())
                        .as(names.getString(1))
                        .isNull();
            }
        }
    }

    @Test
    void anyRoleCanLoadTheSame() throws SQLException {
        server.execute("CREATE ROLE catalog_reader LOGIN PASSWORD 'x'");
        try (Connection unprivileged = connect("catalog_reader", "x")) {
            Catalog same = CatalogLoader.load(unprivileged, 1);
            assertThat(same.relationCount()).isEqualTo(catalog.relationCount()).isPositive();
            assertThat(same.reading(select("secrets"), PUBLIC)).isEqualTo(reading("secrets"));
            assertThat(same.reading(call("customer_name"), PUBLIC)).isEqualTo(calling("customer_name"));
            assertThat(CatalogLoader.fingerprint(unprivileged)).isEqualTo(CatalogLoader.fingerprint(connection));
            assertThat(unprivileged.getAutoCommit()).isTrue();
            try (Statement statement = unprivileged.createStatement();
                    ResultSet path = statement.executeQuery("SHOW search_path")) {
                path.next();
                assertThat(path.getString(1)).isEqualTo("\"$user\", public");
            }
        } finally {
            server.execute("DROP ROLE catalog_reader");
        }
    }

    @Test
    void theFingerprintFollowsDefinitionsAndNothingElse() throws SQLException {
        String before = CatalogLoader.fingerprint(connection);
        execute("INSERT INTO customers (name) VALUES ('x')", "ANALYZE customers", "CREATE TEMP TABLE passing (a int)");
        execute("DROP TABLE passing");
        assertThat(CatalogLoader.fingerprint(connection)).isEqualTo(before);
        for (String change : List.of(
                "ALTER TABLE lonely ADD b int",
                "ALTER TABLE lonely RENAME b TO c",
                "ALTER TABLE lonely ALTER c SET DEFAULT 5",
                "ALTER TABLE lonely DROP c",
                "GRANT SELECT ON lonely TO PUBLIC",
                "GRANT SELECT (a) ON lonely TO pg_monitor",
                "ALTER TABLE quiet ENABLE TRIGGER t",
                "ALTER TABLE quiet DISABLE TRIGGER t",
                "ALTER POLICY p ON secrets USING (true)",
                "ALTER POLICY p ON secrets USING (may_see(a) AND a IN (SELECT a FROM lonely))",
                "ALTER FUNCTION add_one(int) STABLE",
                "ALTER FUNCTION add_one(int) IMMUTABLE",
                "CREATE OR REPLACE VIEW host_view AS SELECT true AS r",
                "CREATE OR REPLACE VIEW host_view AS SELECT pg_is_in_recovery() AS r",
                "CREATE ROLE catalog_group",
                "GRANT catalog_group TO pg_monitor",
                "ALTER ROLE catalog_group BYPASSRLS",
                "DROP ROLE catalog_group",
                "ALTER DOMAIN plain ADD CONSTRAINT more CHECK (VALUE < 10)",
                "ALTER DOMAIN plain DROP CONSTRAINT more")) {
            execute(change);
            String after = CatalogLoader.fingerprint(connection);
            assertThat(after).as(change).isNotEqualTo(before);
            before = after;
        }
    }

    @Test
    void theCatalogKnowsNames() {
        assertThat(catalog.version()).isEqualTo(7);
        assertThat(catalog.relationCount()).isGreaterThan(40);
        assertThat(catalog.functionCount()).isGreaterThan(30);
        assertThat(catalog.nameOf(1259)).isEqualTo("pg_catalog.pg_class");
        assertThat(catalog.nameOf(1)).isNull();
        assertThat(catalog.isSystem(1259)).isTrue();
        assertThat(catalog.isSystem(reading("lonely").reads().id(0))).isFalse();
    }

    private static void assertHindered(Reading reading, Hindrance hindrance, String culprit) {
        assertThat(reading.hindrance()).as(reading.toString()).isEqualTo(hindrance);
        assertThat(reading.culprit()).isEqualTo(culprit);
    }

    private static Reading reading(String relation) {
        return catalog.reading(select(relation), PUBLIC);
    }

    private static Reading calling(String function) {
        return calling(StatementKind.SELECT, function);
    }

    private static Reading calling(StatementKind kind, String function) {
        int flags = kind == StatementKind.CALL ? StatementFlags.DO_OR_CALL | StatementFlags.WRITES : 0;
        return catalog.reading(
                new StatementShape(
                        kind, flags, true, Set.of(), Set.of(), Set.of(), names(List.of(function)), Set.of(), Set.of()),
                PUBLIC);
    }

    private static Reading writing(String relation) {
        return writing(StatementKind.UPDATE, relation);
    }

    private static Reading writing(StatementKind kind, String relation) {
        Set<Name> names = names(List.of(relation));
        int flags = StatementFlags.WRITES | (kind == StatementKind.UPDATE ? 0 : StatementFlags.DDL);
        return catalog.reading(
                new StatementShape(kind, flags, true, names, names, names, Set.of(), Set.of(), Set.of()), PUBLIC);
    }

    private static Reading shape(List<String> relations, String function, String operator, String word) {
        return catalog.reading(
                new StatementShape(
                        StatementKind.SELECT,
                        0,
                        true,
                        names(relations),
                        names(relations),
                        Set.of(),
                        function.isEmpty() ? Set.of() : names(List.of(function)),
                        operator.isEmpty() ? Set.of() : names(List.of(operator)),
                        word.isEmpty() ? Set.of() : Set.of(word)),
                PUBLIC);
    }

    private static StatementShape select(String relation) {
        Set<Name> names = names(List.of(relation));
        return new StatementShape(StatementKind.SELECT, 0, true, names, names, Set.of(), Set.of(), Set.of(), Set.of());
    }

    private static StatementShape call(String... functions) {
        return new StatementShape(
                StatementKind.SELECT,
                0,
                true,
                Set.of(),
                Set.of(),
                Set.of(),
                names(Arrays.asList(functions)),
                Set.of(),
                Set.of());
    }

    private static Set<Name> names(List<String> names) {
        return names.stream()
                .map(name -> {
                    int dot = name.indexOf('.');
                    return new Name(dot < 0 ? null : name.substring(0, dot), name.substring(dot + 1));
                })
                .collect(Collectors.toSet());
    }

    private static List<String> reads(Reading reading) {
        return list(reading.reads());
    }

    private static List<String> touched(Reading reading) {
        return list(reading.writes());
    }

    private static List<String> list(RelationSet set) {
        List<String> names = new ArrayList<>();
        for (int i = 0; i < set.size(); i++) {
            names.add(String.valueOf(catalog.nameOf(set.id(i))));
        }
        names.sort(null);
        return set.isAll() ? List.of("all") : names;
    }

    private static boolean available(String extension) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet found = statement.executeQuery(
                        "SELECT FROM pg_available_extensions WHERE name = '" + extension + "'")) {
            return found.next();
        }
    }

    private static int major() {
        try {
            return connection.getMetaData().getDatabaseMajorVersion();
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    private static Connection connect(String user, String password) throws SQLException {
        String url = "jdbc:postgresql://" + server.host() + ":" + server.port() + "/" + database;
        return DriverManager.getConnection(url, user, password);
    }

    private static void execute(String... texts) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            for (String text : texts) {
                statement.execute(text);
            }
        }
    }
}
