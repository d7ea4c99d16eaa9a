package dev.pgproxy.config;

import dev.pgproxy.routing.Balance;
import dev.pgproxy.routing.Consistency;
import dev.pgproxy.routing.PrimaryReads;
import java.time.Duration;

/**
 * How reads find a replica. Nothing of it matters to databases without replicas. Immutable.
 *
 * @param consistency how old an answer from a replica may be
 * @param maxReplicaLag a replica further behind gets no reads; zero = however far
 * @param balance how a read chooses among replicas
 * @param adaptiveWeights whether slow and busy replicas get less than their weight
 * @param primaryReads which reads that a replica may answer the primary takes
 * @param primaryWeight its share for {@code primary_reads = always}
 * @param transactionSplit whether plain reads of READ COMMITTED transactions use replicas before the first write
 * @param deferredBegin whether BEGIN is sent with the first statement behind it
 * @param healthInterval how often hosts are asked for their role
 * @param freshnessInterval how often hosts are asked for their WAL positions, while reads are routed
 * @param catalogPoll how often definitions are looked at that pgproxy did not see change
 */
public record RoutingSettings(
        Consistency consistency,
        Duration maxReplicaLag,
        Balance balance,
        boolean adaptiveWeights,
        PrimaryReads primaryReads,
        int primaryWeight,
        boolean transactionSplit,
        boolean deferredBegin,
        Duration healthInterval,
        Duration freshnessInterval,
        Duration catalogPoll) {
    static final SettingGroup GROUP = new SettingGroup("Replicas");
    static final Setting<Consistency> CONSISTENCY = GROUP.live(
            "consistency",
            SettingTypes.choice(Consistency.class),
            Consistency.TABLE,
            "What replicas may lack: table = nothing acknowledged; session = nothing of its session; eventual = anything.");
    static final Setting<Duration> MAX_REPLICA_LAG = GROUP.live(
            "max_replica_lag",
            SettingTypes.timeout(),
            Duration.ofSeconds(10),
            "A replica further behind gets no reads; 0 = however far behind.");
    static final Setting<Balance> BALANCE = GROUP.live(
            "balance",
            SettingTypes.choice(Balance.class),
            Balance.ROUND_ROBIN,
            "How a read chooses among replicas, each by its weight: in turn, the least busy, or by chance.");
    static final Setting<Boolean> ADAPTIVE_WEIGHTS = GROUP.live(
            "adaptive_weights",
            SettingTypes.flag(),
            true,
            "Give less to replicas that answer slowly, are over 80 % CPU, or have just come back.");
    static final Setting<PrimaryReads> PRIMARY_READS = GROUP.live(
            "primary_reads",
            SettingTypes.choice(PrimaryReads.class),
            PrimaryReads.FALLBACK,
            "Reads the primary takes: never = those none is fresh for; fallback = also if all lag; always = its share.");
    static final Setting<Integer> PRIMARY_WEIGHT = GROUP.live(
            "primary_weight",
            SettingTypes.integer(0, ReplicaAddress.MAX_WEIGHT),
            1,
            "The primary's share of reads for primary_reads = always.");
    static final Setting<Boolean> TRANSACTION_SPLIT = GROUP.live(
            "transaction_split",
            SettingTypes.flag(),
            true,
            "Send plain reads of READ COMMITTED transactions to replicas until the first statement that is none.");
    static final Setting<Boolean> DEFERRED_BEGIN = GROUP.live(
            "deferred_begin",
            SettingTypes.flag(),
            true,
            "Send BEGIN with the first statement behind it, whose time is then now(); off = never split either.");
    static final Setting<Duration> HEALTH_INTERVAL = GROUP.live(
            "health_interval",
            SettingTypes.duration(),
            Duration.ofSeconds(10),
            "How often each host is asked how it is (SHOW HOSTS), and for its role where there are no replicas.");
    static final Setting<Duration> FRESHNESS_INTERVAL = GROUP.live(
            "freshness_interval",
            SettingTypes.duration(),
            Duration.ofMillis(100),
            "How often hosts are asked for their WAL positions while reads are routed.");
    static final Setting<Duration> CATALOG_POLL = GROUP.live(
            "catalog_poll",
            SettingTypes.duration(),
            Duration.ofSeconds(5),
            "How often pgproxy looks for definitions that were changed elsewhere.");

    static RoutingSettings from(SettingValues values) {
        return new RoutingSettings(
                values.get(CONSISTENCY),
                values.get(MAX_REPLICA_LAG),
                values.get(BALANCE),
                values.get(ADAPTIVE_WEIGHTS),
                values.get(PRIMARY_READS),
                values.get(PRIMARY_WEIGHT),
                values.get(TRANSACTION_SPLIT),
                values.get(DEFERRED_BEGIN),
                values.get(HEALTH_INTERVAL),
                values.get(FRESHNESS_INTERVAL),
                values.get(CATALOG_POLL));
    }
}
