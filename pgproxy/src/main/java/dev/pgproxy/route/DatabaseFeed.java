package dev.pgproxy.route;

import dev.pgproxy.cache.feed.ChangeFeed;
import dev.pgproxy.cache.feed.FeedListener;
import dev.pgproxy.cache.feed.FeedSettings;
import dev.pgproxy.cache.feed.FeedSource;
import dev.pgproxy.cache.feed.FeedStatus;
import dev.pgproxy.cache.feed.TableName;
import dev.pgproxy.health.probe.ControlConnections;
import dev.pgproxy.health.probe.ControlTarget;
import dev.pgproxy.routing.catalog.Catalog;
import dev.pgproxy.routing.catalog.RelationSet;
import dev.pgproxy.routing.freshness.Monotonic;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.Set;

/**
 * What is written to one database by whomever: a change feed, whose news count as writes acknowledged when they arrive.
 * Thread-safe.
 */
public final class DatabaseFeed implements FeedListener, AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final DatabaseState state;
    private final ChangeFeed feed;
    private volatile boolean covering;

    private DatabaseFeed(DatabaseState state, ControlTarget target) {
        this.state = state;
        this.feed = ChangeFeed.start(new Source(target), FeedSettings.DEFAULT, this);
    }

    /** Begins to listen. */
    static DatabaseFeed start(DatabaseState state, ControlTarget target) {
        DatabaseFeed feed = new DatabaseFeed(state, target);
        state.feed(feed);
        return feed;
    }

    /** Whether a write to any of these is told, wherever it comes from. */
    public boolean covers(RelationSet relations, Catalog catalog) {
        return covering && catalog.isDecoded(relations);
    }

    /** How it is. */
    public FeedStatus status() {
        return feed.status();
    }

    @Override
    public void covering() {
        state.clock().written(RelationSet.ALL, Monotonic.now());
        covering = true;
    }

    @Override
    public void written(Set<TableName> tables) {
        Catalog catalog = state.catalog();
        RelationSet relations = RelationSet.NONE;
        for (TableName table : tables) {
            Integer oid = catalog == null ? null : catalog.oidOf(table.schema() + "." + table.name());
            relations = oid == null ? RelationSet.ALL : relations.with(RelationSet.of(oid));
        }
        state.told(relations);
    }

    @Override
    public void everythingWritten() {
        state.told(RelationSet.ALL);
    }

    @Override
    public void lost(String why, boolean retries) {
        covering = false;
        everythingWritten();
    }

    @Override
    public void close() {
        covering = false;
        state.feed(null);
        feed.close();
    }

    private record Source(ControlTarget target) implements FeedSource {
        @Override
        public Connection sql() throws SQLException {
            return ControlConnections.alone(target, PATIENCE, Map.of());
        }

        @Override
        public Connection replication() throws SQLException {
            return ControlConnections.alone(target, PATIENCE, REPLICATION_PROPERTIES);
        }

        @Override
        public String name() {
            return target.database();
        }
    }
}
