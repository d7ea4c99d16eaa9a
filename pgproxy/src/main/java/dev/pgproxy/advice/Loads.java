package dev.pgproxy.advice;

import dev.pgproxy.advice.facts.DatabaseFacts;
import dev.pgproxy.advice.statement.ReadStatement;
import dev.pgproxy.advice.statement.StatementReader;
import dev.pgproxy.insight.Caller;
import dev.pgproxy.insight.Deadlocks;
import dev.pgproxy.insight.StatementReport;
import dev.pgproxy.routing.sql.LikePattern;
import dev.pgproxy.routing.sql.MaskedReader;
import dev.pgproxy.routing.sql.ParameterTypes;
import dev.pgproxy.routing.sql.Shape;
import dev.pgproxy.routing.sql.Shapes;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import net.sf.jsqlparser.statement.Statement;
import org.jspecify.annotations.Nullable;

/** Makes the {@link Load}s of a database of what was counted: those that took most time. Blocks while texts are read. Immutable. */
record Loads(Shapes shapes, MaskedReader reader, Deadlocks rings) {
    /** Statements of one database that are looked at. */
    private static final int MOST = 500;

    /** Texts are read for so long; those behind count without. */
    private static final long READING = 10_000_000_000L;

    private static final String DEADLOCK = "40P01:";
    private static final double NANOS = 1e6;
    private static final double SHORTEST_HOURS = 1.0 / 60;

    /** @param reports of this database */
    List<Load> of(List<StatementReport> reports, DatabaseFacts facts) {
        Map<String, List<StatementReport>> byText = new HashMap<>();
        Map<Caller, Long> ofCaller = new HashMap<>();
        Instant first = Instant.now();
        for (StatementReport report : reports) {
            byText.computeIfAbsent(report.fingerprint(), key -> new ArrayList<>(1))
                    .add(report);
            ofCaller.merge(report.key().caller(), report.calls(), Long::sum);
            first = report.firstSeen().isBefore(first) ? report.firstSeen() : first;
        }
        double hours =
                Math.max(SHORTEST_HOURS, Duration.between(first, Instant.now()).toMillis() / 3_600_000.0);
        List<List<StatementReport>> most = new ArrayList<>(byText.values());
        most.sort(Comparator.comparingLong(Loads::served).reversed());
        List<Load> loads = new ArrayList<>();
        long end = System.nanoTime() + READING;
        for (List<StatementReport> each : most.subList(0, Math.min(most.size(), MOST))) {
            if (Thread.currentThread().isInterrupted()) {
                return loads;
            }
            ReadStatement read = System.nanoTime() < end ? statement(each.getFirst(), facts) : null;
            loads.add(load(each, read, ofCaller, hours));
        }
        return loads;
    }

    private static long served(List<StatementReport> reports) {
        return reports.stream().mapToLong(StatementReport::served).sum();
    }

    private Load load(
            List<StatementReport> reports, @Nullable ReadStatement read, Map<Caller, Long> ofCaller, double hours) {
        StatementReport any = reports.getFirst();
        long calls = 0;
        long rows = 0;
        long bytes = 0;
        long cached = 0;
        long deadlocks = 0;
        double slowest = 0;
        Map<Caller, Long> callers = new HashMap<>();
        for (StatementReport report : reports) {
            calls += report.calls();
            rows += report.rows();
            bytes += report.bytes();
            cached += report.cached();
            deadlocks += deadlocks(report.errors().toString());
            slowest = Math.max(slowest, report.latencies().p99() / 1000.0);
            callers.merge(report.key().caller(), report.calls(), Long::sum);
        }
        double share = 0;
        long most = 0;
        for (Map.Entry<Caller, Long> each : callers.entrySet()) {
            if (each.getValue() > most) {
                most = each.getValue();
                share = (double) most / ofCaller.getOrDefault(each.getKey(), most);
            }
        }
        return new Load(
                any.fingerprint(),
                any.text(),
                read,
                calls,
                rows,
                bytes,
                cached,
                served(reports) / NANOS,
                slowest,
                deadlocks,
                deadlocks == 0 ? List.of() : rings.with(any.fingerprint()),
                hours,
                share);
    }

    private @Nullable ReadStatement statement(StatementReport report, DatabaseFacts facts) {
        Statement tree = reader.read(report.text());
        if (tree == null) {
            return null;
        }
        Shape shape = shapes.find(report.key().high(), report.key().low());
        LikePattern patterns = shape == null ? LikePattern.UNKNOWN : shape.likePattern();
        ParameterTypes types = shape == null ? null : shape.parameterTypes();
        return new StatementReader(facts, patterns, types == null ? ParameterTypes.NONE : types).read(tree);
    }

    private static long deadlocks(String states) {
        for (String each : states.split(" ", -1)) {
            if (each.startsWith(DEADLOCK)) {
                return Long.parseLong(each.substring(DEADLOCK.length()));
            }
        }
        return 0;
    }
}
