package dev.pgproxy.route;

import dev.pgproxy.cache.redis.Ending;
import dev.pgproxy.cache.redis.TableSet;
import dev.pgproxy.config.CacheSettings;
import dev.pgproxy.health.catalog.RoleDefaults;
import dev.pgproxy.results.CacheCounts;
import dev.pgproxy.results.Results;
import dev.pgproxy.results.ShadowCounts;
import dev.pgproxy.routing.catalog.Catalog;
import dev.pgproxy.routing.catalog.RelationSet;
import dev.pgproxy.routing.freshness.Monotonic;
import dev.pgproxy.routing.freshness.TableClock;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** What is known of one database, whatever names lead to it: its definitions, and when it was written. Thread-safe. */
public final class DatabaseState {
    private record Loaded(Catalog catalog, RoleDefaults defaults, long change) {}

    private static final AtomicLong IDS = new AtomicLong();

    private final long id = IDS.incrementAndGet();
    private final PhysicalDatabase database;
    private final Results results;
    private final @Nullable Instances instances;
    private volatile @Nullable String commonName;

    private final CacheCounts counts;
    private final ShadowCounts shadow = new ShadowCounts();
    private final TableClock clock = new TableClock(Monotonic.now());
    private final AtomicLong changes = new AtomicLong();
    private volatile @Nullable Loaded loaded;
    private volatile Runnable onChange = () -> {};
    private volatile @Nullable DatabaseRoutes routes;
    private volatile @Nullable DatabaseFeed feed;
    private final Runnable onSharedChange;
    private final BiConsumer<PhysicalDatabase, String> onDefinitionsTold;

    /**
     * Nothing known yet.
     *
     * @param loops how many event loops count what becomes of its reads
     * @param onSharedChange is told that what its cluster's databases share has changed
     * @param onDefinitionsTold is told that somebody says that definitions have changed, and why
     */
    DatabaseState(
            PhysicalDatabase database,
            Results results,
            @Nullable Instances instances,
            int loops,
            Consumer<DatabaseState> onSharedChange,
            BiConsumer<PhysicalDatabase, String> onDefinitionsTold) {
        this.database = database;
        this.counts = new CacheCounts(loops);
        this.instances = instances;
        this.results = results;
        this.onSharedChange = () -> onSharedChange.accept(this);
        this.onDefinitionsTold = onDefinitionsTold;
    }

    /** No other database of this process has the same. */
    public long id() {
        return id;
    }

    /** The cluster that it is in has said which it is. */
    synchronized void identified(long systemIdentifier) {
        Instances others = instances;
        if (others != null && commonName == null) {
            String name = Long.toUnsignedString(systemIdentifier) + "/" + database.name();
            others.enter(name, this);
            commonName = name;
        }
    }

    /** As all instances call it; null while it is not known, or if there is one instance only. */
    public @Nullable String commonName() {
        return commonName;
    }

    /** Whether the clock knows of all writes that pass through any instance. To be asked before the clock is. */
    public boolean knowsOfAll() {
        return instances == null || commonName != null && instances.mayServe();
    }

    /** What all instances share; null if there is one only. */
    public @Nullable Instances instances() {
        return instances;
    }

    /**
     * A message that may commit writes to these is about to be sent.
     *
     * @param shared whether they may change what the cluster's databases share
     * @param backend the server process that will execute it
     * @param confirmed runs, on any thread, when it may be sent, unless that is so when this returns
     */
    public OpenWrite doubt(RelationSet relations, boolean shared, int backend, Runnable confirmed) {
        clock.doubt(relations);
        OpenWrite write = new OpenWrite(this, relations, shared, backend, confirmed);
        if (instances != null) {
            write.tell(instances.link(), commonName);
        }
        return write;
    }

    void settled(long number, Ending ending) {
        if (instances != null) {
            instances.link().settle(number, ending);
        }
    }

    /** These count as written now, in all instances. */
    public void written(RelationSet relations) {
        clock.written(relations, Monotonic.now());
        if (instances != null && commonName == null) {
            instances.link().announce("", TableSet.ALL);
        } else {
            announce(relations);
        }
    }

    /** Somebody else has written these, which the others are told as well: they may hear of it later than of what is shared. */
    void told(RelationSet relations) {
        clock.written(relations, Monotonic.now());
        announce(relations);
    }

    private void announce(RelationSet relations) {
        String name = commonName;
        if (instances != null && name != null) { // without a name nothing is shared
            instances.link().announce(name, Instances.tables(relations));
        }
    }

    /** Results of its reads, and of others. */
    public Results results() {
        return results;
    }

    /** What became of its reads, as far as the cache is concerned. */
    public CacheCounts counts() {
        return counts;
    }

    /** What came of those that the cache could have answered in shadow mode. */
    public ShadowCounts shadow() {
        return shadow;
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

    /** Which definitions they are: the same in all instances, and never the same for others. */
    public long definitions() {
        Loaded now = loaded;
        return now == null ? 0 : now.catalog.version();
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

    /** Somebody has said so, who has changed them past us: new definitions, new statements, nothing that was kept. */
    void definitionsTold(String why) {
        definitionsChanged();
        told(RelationSet.ALL);
        onDefinitionsTold.accept(database, why);
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
        loaded = new Loaded(catalog, defaults, change);
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
        return coverage(relations) != Coverage.TTL;
    }

    /** How long a result is kept for which nothing is asked. */
    public Duration ttl(Coverage coverage) {
        CacheSettings settings = results.settings();
        return coverage == Coverage.TTL ? settings.ttl() : settings.coveredTtl();
    }

    /** How all writes to these relations are told, wherever they come from. */
    public Coverage coverage(RelationSet relations) {
        DatabaseFeed telling = feed;
        Catalog known = catalog();
        return telling == null || known == null ? Coverage.TTL : telling.coverage(relations, known);
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
