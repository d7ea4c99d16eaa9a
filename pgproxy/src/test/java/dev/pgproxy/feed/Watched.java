package dev.pgproxy.feed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.cache.feed.ChangeFeed;
import dev.pgproxy.cache.feed.FeedLevel;
import dev.pgproxy.cache.feed.FeedListener;
import dev.pgproxy.cache.feed.FeedSettings;
import dev.pgproxy.cache.feed.FeedSource;
import dev.pgproxy.cache.feed.FeedStatus;
import dev.pgproxy.cache.feed.Invalidation;
import dev.pgproxy.cache.feed.TableName;
import dev.pgproxy.demo.EmbeddedPostgres;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;

/** A change feed of one database, and all that it has told. Thread-safe. */
final class Watched implements AutoCloseable, FeedListener {

    /** What was told, and when by {@link System#nanoTime}. */
    record Told(String what, Set<TableName> tables, long at) {}

    private final List<Told> told = new CopyOnWriteArrayList<>();
    private final ChangeFeed feed;

    private Watched(FeedSource source, FeedSettings settings) {
        feed = ChangeFeed.start(FeedLevel.LOGICAL, source, settings, this);
    }

    static Watched start(EmbeddedPostgres server, String database) {
        return start(server, database, FeedSettings.DEFAULT);
    }

    static Watched start(EmbeddedPostgres server, String database, FeedSettings settings) {
        return start(server, EmbeddedPostgres.SUPERUSER, server.superuserPassword(), database, settings);
    }

    static Watched start(
            EmbeddedPostgres server, String user, String password, String database, FeedSettings settings) {
        return new Watched(source(server, server, user, password, database), settings);
    }

    /** With connections to two servers, as when an address moves in between. */
    static Watched startTorn(EmbeddedPostgres asked, EmbeddedPostgres replicated, FeedSettings settings) {
        return new Watched(
                source(asked, replicated, EmbeddedPostgres.SUPERUSER, asked.superuserPassword(), "postgres"), settings);
    }

    private static FeedSource source(
            EmbeddedPostgres server, EmbeddedPostgres replicated, String user, String password, String database) {
        return new FeedSource() {
            @Override
            public Connection sql() throws SQLException {
                return server.connect(user, password, database);
            }

            @Override
            public Connection replication() throws SQLException {
                Properties properties = new Properties();
                properties.setProperty("user", user);
                properties.setProperty("password", password);
                properties.putAll(REPLICATION_PROPERTIES);
                return DriverManager.getConnection(replicated.jdbcUrl(database), properties);
            }

            @Override
            public String name() {
                return database;
            }
        };
    }

    @Override
    public void covering() {
        add("covering", Set.of());
    }

    @Override
    public void written(Set<TableName> tables) {
        add("written", tables);
    }

    @Override
    public boolean notified(Invalidation what) {
        add("notified", Set.of());
        return true;
    }

    @Override
    public void everythingWritten() {
        add("everything", Set.of());
    }

    @Override
    public void lost(String why, boolean retries) {
        add("lost", Set.of());
    }

    private void add(String what, Set<TableName> tables) {
        told.add(new Told(what, Set.copyOf(tables), System.nanoTime()));
    }

    List<Told> told() {
        return told;
    }

    FeedStatus status() {
        return feed.status();
    }

    long count(String what) {
        return told.stream().filter(each -> each.what().equals(what)).count();
    }

    Watched awaitCovering() {
        return awaitCount("covering", 1);
    }

    /** How often it was told since it began. */
    Watched awaitCount(String what, long times) {
        await().untilAsserted(() ->
                assertThat(count(what)).as("%s in %s, %s", what, told, status()).isGreaterThanOrEqualTo(times));
        return this;
    }

    /** Polls so often that it measures. */
    void awaitQuickly(long writes) {
        await().pollDelay(Duration.ZERO).pollInterval(Duration.ofMillis(1)).until(() -> count("written") >= writes);
    }

    /** Of schema public, in one report of their own. */
    Told awaitWritten(String... names) {
        Set<TableName> tables = Set.of(names).stream()
                .map(name -> new TableName("public", name))
                .collect(Collectors.toSet());
        await().untilAsserted(() -> assertThat(told)
                .as("%s", status())
                .anyMatch(each -> each.what().equals("written") && each.tables().equals(tables)));
        return told.stream()
                .filter(each -> each.tables().equals(tables))
                .findFirst()
                .orElseThrow();
    }

    void awaitState(FeedStatus.State state, String reason) {
        await().untilAsserted(() -> {
            assertThat(status().state()).as("%s", status()).isEqualTo(state);
            assertThat(status().reason()).contains(reason);
        });
    }

    boolean toldOf(String name) {
        return told.stream().anyMatch(each -> each.tables().contains(new TableName("public", name)));
    }

    static void execute(EmbeddedPostgres server, String database, String... statements) throws SQLException {
        try (Connection connection = server.connect(database);
                Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }

    static String value(EmbeddedPostgres server, String sql) throws SQLException {
        try (Connection connection = server.connect("postgres");
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            return row.next() ? String.valueOf(row.getString(1)) : "none";
        }
    }

    @Override
    public void close() {
        feed.close();
    }
}
