package dev.pgproxy.advice;

import dev.pgproxy.advice.AdviceReport.OfDatabase;
import dev.pgproxy.advice.facts.DatabaseFacts;
import dev.pgproxy.advice.facts.FactsReader;
import dev.pgproxy.advice.facts.TableFacts;
import dev.pgproxy.advice.index.IndexAdvice;
import dev.pgproxy.advice.index.IndexFindings;
import dev.pgproxy.advice.rule.Rule;
import dev.pgproxy.config.StatisticsSettings;
import dev.pgproxy.health.probe.ControlConnections;
import dev.pgproxy.health.probe.ControlTarget;
import dev.pgproxy.insight.Deadlocks;
import dev.pgproxy.insight.Plans;
import dev.pgproxy.insight.QueryStats;
import dev.pgproxy.insight.StatementReport;
import dev.pgproxy.route.DatabaseState;
import dev.pgproxy.route.PhysicalDatabase;
import dev.pgproxy.route.Routes;
import dev.pgproxy.routing.sql.MaskedReader;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks at what statements have cost and at what their databases say, when somebody asks and every so often, on a thread of
 * its own. It creates nothing anywhere, and runs no statement of a user: it is {@link Plans} that has the planner asked of an
 * index. Thread-safe.
 */
public final class Advisor implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Advisor.class);

    private static final Duration PATIENCE = Duration.ofSeconds(15);
    private static final long TEXT_MILLIS = 500;

    /** Databases that are looked at. */
    private static final int MOST_DATABASES = 20;

    private static final int MOST_ADVICE = 200;

    private final Routes routes;
    private final @Nullable QueryStats stats;
    private final ScheduledThreadPoolExecutor thread;
    private final Loads loads;
    private final Verification verification;

    /** What tables had been written when they were first looked at. Of the thread alone. */
    private final Map<PhysicalDatabase, Written> written = new LinkedHashMap<>();

    private @Nullable ScheduledFuture<?> regular;
    private @Nullable CompletableFuture<AdviceReport> asked;

    private record Written(long nanos, Map<Long, Long> rows) {}

    /**
     * Begins to look every so often.
     *
     * @param stats null if nothing is counted
     * @param plans who has the planner asked
     */
    public Advisor(Routes routes, @Nullable QueryStats stats, Plans plans, StatisticsSettings settings) {
        this.routes = routes;
        this.stats = stats;
        this.verification = new Verification(plans);
        this.loads = new Loads(
                routes.shapes(), new MaskedReader(TEXT_MILLIS), stats == null ? new Deadlocks() : stats.deadlocks());
        this.thread = new ScheduledThreadPoolExecutor(
                1, Thread.ofPlatform().name("advice").daemon().factory());
        thread.setRemoveOnCancelPolicy(true);
        reload(settings);
    }

    /** RELOAD: looks this often from now on. */
    public synchronized void reload(StatisticsSettings settings) {
        if (regular != null) {
            regular.cancel(false);
            regular = null;
        }
        long millis = settings.adviceInterval().toMillis();
        if (millis > 0 && !thread.isShutdown()) {
            regular = thread.scheduleWithFixedDelay(this::lookSafely, millis, millis, TimeUnit.MILLISECONDS);
        }
    }

    /** Looks now; who asks while it looks already gets the same. */
    public synchronized CompletionStage<AdviceReport> report() {
        CompletableFuture<AdviceReport> pending = asked;
        if (pending != null) {
            return pending;
        }
        CompletableFuture<AdviceReport> made = new CompletableFuture<>();
        if (thread.isShutdown()) {
            made.complete(AdviceReport.NONE);
            return made;
        }
        asked = made;
        thread.execute(() -> {
            AdviceReport report = lookSafely();
            synchronized (this) {
                asked = null;
            }
            made.complete(report);
        });
        return made;
    }

    /** A defect in here is one of advice only. */
    private AdviceReport lookSafely() {
        try {
            return look();
        } catch (RuntimeException e) {
            LOG.error("nothing could be advised", e);
            return AdviceReport.NONE;
        }
    }

    private AdviceReport look() {
        Map<PhysicalDatabase, List<StatementReport>> reports = reports();
        List<OfDatabase> databases = new ArrayList<>();
        Map<String, String> problems = new TreeMap<>();
        List<DatabaseState> states = new ArrayList<>(routes.all());
        states.sort(Comparator.comparing(state -> state.database().toString()));
        for (DatabaseState state : states.subList(0, Math.min(states.size(), MOST_DATABASES))) {
            PhysicalDatabase database = state.database();
            List<ControlTarget> targets = routes.controlTargets(database);
            if (targets.isEmpty()) {
                problems.put(database.name(), "control_user is not set, or no host is the primary");
                continue;
            }
            try {
                databases.add(look(database, targets, reports.getOrDefault(database, List.of())));
            } catch (SQLException | RuntimeException e) {
                LOG.info("database {} cannot be looked at for advice: {}", database.name(), e.getMessage());
                problems.put(database.name(), String.valueOf(e.getMessage()));
            }
        }
        return new AdviceReport(databases, problems);
    }

    private Map<PhysicalDatabase, List<StatementReport>> reports() {
        Map<PhysicalDatabase, List<StatementReport>> reports = new HashMap<>();
        for (StatementReport report : stats == null ? List.<StatementReport>of() : stats.read()) {
            PhysicalDatabase database = routes.physical(report.key().caller().database());
            if (database != null) {
                reports.computeIfAbsent(database, each -> new ArrayList<>()).add(report);
            }
        }
        return reports;
    }

    private OfDatabase look(PhysicalDatabase database, List<ControlTarget> targets, List<StatementReport> reports)
            throws SQLException {
        Map<Long, Long> scans = new HashMap<>();
        boolean whole = true;
        for (ControlTarget replica : targets.subList(1, targets.size())) {
            try (Connection connection = connect(replica)) {
                FactsReader.scans(connection).forEach((index, count) -> scans.merge(index, count, Long::sum));
            } catch (SQLException e) {
                LOG.debug(
                        "the use of indexes on {} is not known: {}",
                        replica.host().name(),
                        e.getMessage());
                whole = false;
            }
        }
        DatabaseFacts facts;
        try (Connection connection = connect(targets.getFirst())) {
            facts = FactsReader.read(connection, scans, whole);
        }
        Written before = remember(database, facts);
        List<Load> all = loads.of(reports, facts);
        List<Advice> indexes = new IndexAdvice(facts, table -> perHour(table, before)).of(all);
        List<Advice> advice = new ArrayList<>(verification.of(indexes, reports));
        for (Rule rule : Rule.ALL) {
            advice.addAll(rule.of(all, facts));
        }
        advice.sort(Comparator.comparingDouble(Advice::gain).reversed());
        Map<String, Load> byFingerprint = new HashMap<>();
        all.forEach(load -> byFingerprint.put(load.fingerprint(), load));
        return new OfDatabase(
                database.name(),
                advice.subList(0, Math.min(advice.size(), MOST_ADVICE)),
                new IndexFindings(facts).all(),
                byFingerprint);
    }

    private static Connection connect(ControlTarget target) throws SQLException {
        return ControlConnections.alone(target, PATIENCE, Map.of());
    }

    /** Of the first look; the oldest database leaves when there are too many. */
    private Written remember(PhysicalDatabase database, DatabaseFacts facts) {
        Written known = written.get(database);
        if (known != null) {
            return known;
        }
        Map<Long, Long> rows = new HashMap<>();
        facts.tables().forEach(table -> rows.put(table.oid(), table.activity().writes()));
        if (written.size() >= MOST_DATABASES) {
            written.remove(written.keySet().iterator().next());
        }
        Written now = new Written(System.nanoTime(), rows);
        written.put(database, now);
        return now;
    }

    /** Rows written since the first look, but for the first minute; negative = not known. */
    private static double perHour(TableFacts table, Written before) {
        double hours = (System.nanoTime() - before.nanos()) / 3.6e12;
        Long then = before.rows().get(table.oid());
        long now = table.activity().writes();
        return then == null || now < then || hours < 1.0 / 60 ? -1 : (now - then) / hours;
    }

    @Override
    public void close() {
        thread.shutdownNow();
        synchronized (this) {
            if (asked != null) {
                asked.complete(AdviceReport.NONE);
            }
        }
    }
}
