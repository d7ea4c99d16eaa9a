package dev.pgproxy.route;

import dev.pgproxy.health.catalog.RoleDefaults;
import dev.pgproxy.routing.catalog.Catalog;
import dev.pgproxy.routing.freshness.Monotonic;
import dev.pgproxy.routing.freshness.TableClock;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** What is known of one database, whatever names lead to it: its definitions, and when it was written. Thread-safe. */
public final class DatabaseState {
    private record Loaded(Catalog catalog, RoleDefaults defaults, long change) {}

    private final PhysicalDatabase database;
    private final TableClock clock = new TableClock(Monotonic.now());
    private final AtomicLong changes = new AtomicLong();
    private volatile @Nullable Loaded loaded;
    private volatile Runnable onChange = () -> {};
    private volatile @Nullable DatabaseRoutes routes;

    DatabaseState(PhysicalDatabase database) {
        this.database = database;
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

    /** What parameters are at login; null as for {@link #catalog}. */
    @Nullable
    RoleDefaults defaults() {
        Loaded now = loaded;
        return now == null ? null : now.defaults;
    }

    /** Definitions have changed: what was read of them does not hold any more. */
    public void definitionsChanged() {
        changes.incrementAndGet();
        onChange.run();
    }

    /** How often they have changed, as seen by us. */
    public long changes() {
        return changes.get();
    }

    /** They were read after so many changes. */
    public void loaded(Catalog catalog, RoleDefaults defaults, long change) {
        loaded = new Loaded(catalog, defaults, change);
    }

    /** Where its statements can go; null if that is the primary alone, and nobody else asks what is written. */
    public @Nullable DatabaseRoutes routes() {
        return routes;
    }

    void routes(@Nullable DatabaseRoutes now) {
        routes = now;
    }

    /** Whom to tell that they have changed. */
    public void onChange(Runnable listener) {
        onChange = listener;
    }
}
