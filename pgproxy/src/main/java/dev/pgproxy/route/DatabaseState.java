package dev.pgproxy.route;

import dev.pgproxy.health.catalog.RoleDefaults;
import dev.pgproxy.results.CacheCounts;
import dev.pgproxy.results.Results;
import dev.pgproxy.routing.catalog.Catalog;
import dev.pgproxy.routing.catalog.RelationSet;
import dev.pgproxy.routing.freshness.Monotonic;
import dev.pgproxy.routing.freshness.TableClock;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** What is known of one database, whatever names lead to it: its definitions, and when it was written. Thread-safe. */
public final class DatabaseState {
    private record Loaded(Catalog catalog, RoleDefaults defaults, long change, long version) {}

    private static final AtomicLong IDS = new AtomicLong();

    private final long id = IDS.incrementAndGet();
    private final PhysicalDatabase database;
    private final Results results;
    private final CacheCounts counts = new CacheCounts();
    private final AtomicLong versions = new AtomicLong();
    private final TableClock clock = new TableClock(Monotonic.now());
    private final AtomicLong changes = new AtomicLong();
    private volatile @Nullable Loaded loaded;
    private volatile Runnable onChange = () -> {};
    private volatile @Nullable DatabaseRoutes routes;
    private volatile @Nullable DatabaseFeed feed;
    private final Runnable onSharedChange;

    /** @param onSharedChange is told that what its cluster's databases share has changed */
    DatabaseState(PhysicalDatabase database, Results results, Consumer<DatabaseState> onSharedChange) {
        this.database = database;
        this.results = results;
        this.onSharedChange = () -> onSharedChange.accept(this);
    }

    /** No other database of this process has the same. */
    public long id() {
        return id;
    }

    /** Results of its reads, and of others. */
    public Results results() {
        return results;
    }

    /** What became of its reads, as far as the cache is concerned. */
    public CacheCounts counts() {
        return counts;
    }

    /** Which database. */
    public PhysicalDatabase database() {
        return database;
    }

    /** When its relations were written. */
    public TableClock clock() {
        return clock;
    }

    /** Its definitions; null while they are not known, or have changed since they were read. */
    public @Nullable Catalog catalog() {
        Loaded now = loaded;
        return now != null && now.change == changes.get() ? now.catalog : null;
    }

    /** Which definitions they are: never the same for others. */
    public long definitions() {
        Loaded now = loaded;
        return now == null ? 0 : now.version;
    }

    /** What parameters are at login; null as for {@link #catalog}. */
    @Nullable
    RoleDefaults defaults() {
        Loaded now = loaded;
        return now == null ? null : now.defaults;
    }

    /**
     * Definitions have changed: what was read of them does not hold any more.
     *
     * @param shared whether they may be those that all databases of the cluster share: roles and their rights
     */
    public void definitionsChanged(boolean shared) {
        definitionsChanged();
        if (shared) {
            onSharedChange.run();
        }
    }

    private void definitionsChanged() {
        changes.incrementAndGet();
        onChange.run();
    }

    /** Anything may have changed, in whatever way. */
    void everythingChanged() {
        definitionsChanged();
        clock.written(RelationSet.ALL, Monotonic.now());
    }

    /** How often they have changed, as seen by us. */
    public long changes() {
        return changes.get();
    }

    /** They were read after so many changes. */
    public void loaded(Catalog catalog, RoleDefaults defaults, long change) {
        Loaded before = loaded;
        long version = before != null && before.catalog == catalog ? before.version : versions.incrementAndGet();
        loaded = new Loaded(catalog, defaults, change, version);
    }

    /** Where its statements can go; null if that is the primary alone, and nobody else asks what is written. */
    public @Nullable DatabaseRoutes routes() {
        return routes;
    }

    /** What tells of writes elsewhere; null if nothing is asked to. */
    public @Nullable DatabaseFeed feed() {
        return feed;
    }

    /** Whether all writes to these relations are told, wherever they come from. */
    public boolean isCovered(RelationSet relations) {
        DatabaseFeed telling = feed;
        Catalog known = catalog();
        return telling != null && known != null && telling.covers(relations, known);
    }

    void feed(@Nullable DatabaseFeed now) {
        feed = now;
    }

    void routes(@Nullable DatabaseRoutes now) {
        routes = now;
    }

    /** Whom to tell that they have changed. */
    void onChange(Runnable listener) {
        onChange = listener;
    }
}
