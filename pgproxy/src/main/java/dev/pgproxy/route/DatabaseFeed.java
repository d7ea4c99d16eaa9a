package dev.pgproxy.route;

import dev.pgproxy.cache.feed.ChangeFeed;
import dev.pgproxy.cache.feed.FeedLevel;
import dev.pgproxy.cache.feed.FeedListener;
import dev.pgproxy.cache.feed.FeedSettings;
import dev.pgproxy.cache.feed.FeedSource;
import dev.pgproxy.cache.feed.FeedStatus;
import dev.pgproxy.cache.feed.Invalidation;
import dev.pgproxy.cache.feed.TableName;
import dev.pgproxy.health.probe.ControlConnections;
import dev.pgproxy.health.probe.ControlTarget;
import dev.pgproxy.routing.catalog.Catalog;
import dev.pgproxy.routing.catalog.RelationSet;
import dev.pgproxy.routing.freshness.Monotonic;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What is written to one database by whomever: change feeds, whose news count as writes acknowledged when they arrive.
 * Thread-safe.
 */
public final class DatabaseFeed implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final DatabaseState state;
    private final @Nullable Told logical;
    private final Told notified;

    private DatabaseFeed(DatabaseState state, ControlTarget target, boolean decodes) {
        this.state = state;
        this.logical = decodes ? Told.start(FeedLevel.LOGICAL, state, target) : null;
        this.notified = Told.start(FeedLevel.NOTIFY, state, target);
    }

    /** Begins to listen to notifications, and, if asked, to decode. */
    static DatabaseFeed start(DatabaseState state, ControlTarget target, boolean decodes) {
        DatabaseFeed feed = new DatabaseFeed(state, target, decodes);
        state.feed(feed);
        return feed;
    }

    /** How a write to any of these becomes known, wherever it comes from. */
    public Coverage coverage(RelationSet relations, Catalog catalog) {
        boolean decoding = logical != null && logical.covering;
        if (decoding && catalog.isDecoded(relations)) {
            return Coverage.LOGICAL;
        }
        if (!notified.covering || relations.isAll()) {
            return Coverage.TTL;
        }
        for (int i = 0; i < relations.size(); i++) {
            int oid = relations.id(i);
            if (!catalog.isTold(oid) && !(decoding && catalog.isDecoded(RelationSet.of(oid)))) {
                return Coverage.TTL;
            }
        }
        return Coverage.NOTIFY;
    }

    /** How the logical change feed is; null if there is to be none. */
    public @Nullable FeedStatus decoding() {
        return logical == null ? null : logical.feed.status();
    }

    /** How the listener is. */
    public FeedStatus listening() {
        return notified.feed.status();
    }

    /** Nothing that was told is to be believed: the primary may be another. */
    void renew() {
        if (logical != null) {
            logical.feed.renew();
        }
        notified.feed.renew();
    }

    @Override
    public void close() {
        if (state.feed() == this) { // else another has taken its place
            state.feed(null);
        }
        if (logical != null) {
            logical.close();
        }
        notified.close();
    }

    /** What one feed tells. Thread-safe. */
    private static final class Told implements FeedListener, AutoCloseable {
        private final DatabaseState state;
        private final ChangeFeed feed;
        private volatile boolean covering;

        private Told(FeedLevel level, DatabaseState state, ControlTarget target) {
            this.state = state;
            this.feed = ChangeFeed.start(level, new Source(target), FeedSettings.DEFAULT, this);
        }

        static Told start(FeedLevel level, DatabaseState state, ControlTarget target) {
            return new Told(level, state, target);
        }

        @Override
        public void covering() {
            state.clock().written(RelationSet.ALL, Monotonic.now()); // what others have kept says that it was covered
            covering = true;
        }

        @Override
        public void written(Set<TableName> tables) {
            Catalog catalog = state.catalog();
            RelationSet relations = RelationSet.NONE;
            for (TableName table : tables) {
                Collection<Integer> found = catalog == null ? List.of() : catalog.named(table.schema(), table.name());
                relations = found.isEmpty() ? RelationSet.ALL : relations.with(of(found));
            }
            state.told(relations);
        }

        @Override
        public boolean notified(Invalidation what) {
            if (what instanceof Invalidation.Definitions definitions) {
                state.definitionsTold(definitions.why());
                return true;
            }
            Catalog catalog = state.catalog();
            RelationSet relations = catalog == null ? RelationSet.ALL : relations(what, catalog);
            state.told(relations.isEmpty() ? RelationSet.ALL : relations);
            return !relations.isEmpty();
        }

        /** None if it names nothing that is known. */
        private static RelationSet relations(Invalidation what, Catalog catalog) {
            return switch (what) {
                case Invalidation.Targets targets -> {
                    RelationSet relations = RelationSet.NONE;
                    for (int oid : targets.oids()) {
                        relations = relations.with(catalog.rowsOf(oid));
                    }
                    yield relations;
                }
                case Invalidation.Named named -> writing(named.spelling(), catalog);
                case Invalidation.Everything everything -> RelationSet.ALL;
                case Invalidation.Definitions definitions -> RelationSet.ALL;
                case Invalidation.Unreadable unreadable -> RelationSet.NONE;
            };
        }

        /** As if a statement had written it through here, since who says so need not have told of what follows. */
        private static RelationSet writing(Invalidation.Spelling spelling, Catalog catalog) {
            List<String> folded = spelling.folded();
            Set<Integer> found = new HashSet<>();
            if (folded.size() <= 2) {
                found.addAll(catalog.named(folded.size() == 2 ? folded.getFirst() : null, folded.getLast()));
            }
            // the same text may be two tables: every dot may be the one between schema and name
            String text = spelling.text();
            found.addAll(catalog.named(null, text));
            for (int dot = text.indexOf('.'); dot >= 0; dot = text.indexOf('.', dot + 1)) {
                found.addAll(catalog.named(text.substring(0, dot), text.substring(dot + 1)));
            }
            RelationSet relations = of(found);
            for (int oid : found) {
                relations = relations.with(catalog.writing(oid));
            }
            return relations;
        }

        private static RelationSet of(Collection<Integer> oids) {
            return RelationSet.of(oids.stream().mapToInt(Integer::intValue).toArray());
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

        /** What was kept because this told what it depends on is not to be kept so long. */
        @Override
        public void close() {
            covering = false;
            feed.close();
            everythingWritten();
        }
    }

    private record Source(ControlTarget target) implements FeedSource {
        @Override
        public Connection sql() throws SQLException {
            Connection connection = ControlConnections.alone(target, PATIENCE, Map.of());
            try (Statement statement = connection.createStatement()) {
                // nobody's functions but PostgreSQL's
                statement.execute("SET search_path = pg_catalog");
                return connection;
            } catch (SQLException e) {
                connection.close();
                throw e;
            }
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
