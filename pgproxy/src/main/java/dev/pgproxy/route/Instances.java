package dev.pgproxy.route;

import dev.pgproxy.cache.redis.Ending;
import dev.pgproxy.cache.redis.Epoch;
import dev.pgproxy.cache.redis.InstanceLink;
import dev.pgproxy.cache.redis.LinkListener;
import dev.pgproxy.cache.redis.LinkSettings;
import dev.pgproxy.cache.redis.LinkStatus;
import dev.pgproxy.cache.redis.RedisAccess;
import dev.pgproxy.cache.redis.RedisSettings;
import dev.pgproxy.cache.redis.RedisTier;
import dev.pgproxy.cache.redis.TableSet;
import dev.pgproxy.cache.redis.TierSettings;
import dev.pgproxy.cache.redis.TokenBank;
import dev.pgproxy.config.InstanceSettings;
import dev.pgproxy.config.Secret;
import dev.pgproxy.routing.catalog.RelationSet;
import dev.pgproxy.routing.freshness.Monotonic;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The other instances before the same servers: what they may be writing is in doubt here, too, and what is written here they
 * know before it can be committed. Databases have one name in all instances: the cluster's system identifier and their own
 * name. Thread-safe.
 */
public final class Instances implements LinkListener, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Instances.class);
    private static final Duration CONNECT = Duration.ofSeconds(2);
    private static final Duration ANSWER = Duration.ofMillis(400);

    /** A start waits so long for the others: who does not know of it would not hear of its first writes. */
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    /** A database as others speak of it: what they have in doubt, and what we know of it. */
    private static final class Named {
        private final List<DatabaseState> states = new ArrayList<>(1);
        private final List<RelationSet> open = new ArrayList<>();
    }

    private final RedisAccess access;
    private final InstanceLink link;
    private final RedisTier tier;
    private final TokenBank bank;
    private final Map<String, Named> databases = new HashMap<>();
    private final CountDownLatch known = new CountDownLatch(1);

    private Instances(InstanceSettings settings, String url, byte[] secret, int maxResult) {
        Secret password = settings.password();
        access = new RedisAccess(new RedisSettings(
                url,
                settings.user(),
                password == null ? null : password.reveal(),
                settings.caFile(),
                settings.namespace(),
                CONNECT));
        LinkSettings bounds = new LinkSettings(settings.coherence(), settings.lease(), ANSWER, settings.forgetAfter());
        link = new InstanceLink(access, secret, bounds, this);
        TierSettings usual = TierSettings.DEFAULT;
        tier = new RedisTier(
                access,
                secret,
                new TierSettings(usual.timeout(), usual.maxInFlight(), Math.max(1, maxResult), usual.compressOver()));
        link.start();
        bank = new TokenBank(access, link);
    }

    /** Begins to look for the others; null if there are none to look for. */
    static @Nullable Instances start(InstanceSettings settings, int maxResult) {
        String url = settings.url();
        return url == null ? null : new Instances(settings, url, secret(settings), maxResult);
    }

    /** Waits until the others know of this one; without Redis, for some seconds. */
    void awaitOthers() {
        try {
            if (!known.await(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)) {
                LOG.warn(
                        "Redis at {} is not there: until it is, other instances that reach it do not hear of what is written"
                                + " through this one",
                        access);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** What all instances share, for keys. */
    static byte[] secret(InstanceSettings settings) {
        return Objects.requireNonNull(settings.secret()).reveal().getBytes(StandardCharsets.UTF_8);
    }

    /** Whether what is known of writes is all there is to know, at this moment. */
    public boolean mayServe() {
        return link.mayServe();
    }

    /** What is known of other instances that may write, for people; empty if there surely are none. Waits a second at most. */
    String company() {
        try {
            LinkStatus status = link.status().toCompletableFuture().get(1, TimeUnit.SECONDS);
            int others = status.instances().size() + status.lost().size();
            if (!status.connected()) {
                return "Redis cannot be reached, so it is not known whether there are other instances";
            }
            return others == 0
                    ? ""
                    : "there are " + others + " other instances, which would go on writing to the last one";
        } catch (ExecutionException | TimeoutException e) {
            return "it is not known whether there are other instances";
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return "it is not known whether there are other instances";
        }
    }

    /** The link, for doubts. */
    InstanceLink link() {
        return link;
    }

    /** What the written state of these is called in all instances; null if nobody can know. */
    public @Nullable Epoch epoch(String database, RelationSet reads) {
        return link.epoch(database, tables(reads));
    }

    /** Results that all share. */
    public RedisTier tier() {
        return tier;
    }

    /** Where rate limits are shared. */
    public TokenBank bank() {
        return bank;
    }

    /** For people. */
    public CompletionStage<LinkStatus> status() {
        return link.status();
    }

    /** The common name of a database has become known. */
    synchronized void enter(String name, DatabaseState state) {
        Named named = named(name);
        named.states.add(state);
        named.open.forEach(tables -> state.clock().doubt(tables));
        for (String around : InstanceLink.around(name)) {
            named(around).open.forEach(tables -> state.clock().doubt(tables));
        }
    }

    private Named named(String name) {
        return databases.computeIfAbsent(name, none -> new Named());
    }

    /** The states of databases of this name, or of those that it stands for. */
    private List<DatabaseState> states(String name) {
        if (!InstanceLink.isSeveral(name)) {
            return named(name).states;
        }
        List<DatabaseState> states = new ArrayList<>();
        databases.forEach((database, named) -> {
            if (database.startsWith(name)) {
                states.addAll(named.states);
            }
        });
        return states;
    }

    /** All databases of the cluster that this one is in. */
    static String cluster(String database) {
        return database.substring(0, database.indexOf('/') + 1);
    }

    static TableSet tables(RelationSet relations) {
        if (relations.isAll()) {
            return TableSet.ALL;
        }
        int[] ids = new int[relations.size()];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = relations.id(i);
        }
        return TableSet.of(ids);
    }

    private static RelationSet relations(TableSet tables) {
        if (tables.isAll()) {
            return RelationSet.ALL;
        }
        int[] ids = new int[tables.size()];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = tables.id(i);
        }
        return RelationSet.of(ids);
    }

    // ---- LinkListener

    @Override
    public synchronized void doubted(String database, TableSet tables) {
        RelationSet relations = relations(tables);
        named(database).open.add(relations);
        states(database).forEach(state -> state.clock().doubt(relations));
    }

    @Override
    public synchronized void settled(String database, TableSet tables, Ending ending) {
        RelationSet relations = relations(tables);
        if (named(database).open.remove(relations)) {
            for (DatabaseState state : states(database)) {
                if (ending == Ending.DEFINED) {
                    state.definitionsChanged(false);
                }
                state.clock().settle(relations, ending.wrote() ? Monotonic.now() : 0);
            }
        }
    }

    @Override
    public synchronized void written(String database, TableSet tables, Ending ending) {
        RelationSet relations = relations(tables);
        for (DatabaseState state : states(database)) {
            if (ending == Ending.DEFINED) {
                state.definitionsChanged(false);
            }
            state.clock().written(relations, Monotonic.now());
        }
    }

    @Override
    public synchronized void flushed() {
        known.countDown(); // to be one of them begins with it
        databases.values().forEach(named -> named.states.forEach(DatabaseState::everythingChanged));
    }

    @Override
    public synchronized void orphaned(
            String database, TableSet tables, int backendPid, long backendStart, Runnable resolved) {
        for (DatabaseState state : states(database)) {
            DatabaseRoutes routes = state.routes();
            if (routes != null && backendPid != 0) {
                routes.cluster().whenGone(backendPid, resolved);
            }
        }
    }

    @Override
    public void lost(String instance, Runnable gone) {
        // nobody here can know whether it writes: it is waited for as long as configured
    }

    @Override
    public void close() {
        bank.close();
        link.close();
        tier.close();
        access.close();
    }
}
