package dev.pgproxy.insight;

import dev.pgproxy.insight.Finding.Counter;
import dev.pgproxy.insight.Finding.Kind;
import dev.pgproxy.insight.Repetition.What;
import dev.pgproxy.routing.catalog.Catalog;
import dev.pgproxy.routing.sql.Name;
import dev.pgproxy.routing.sql.RowRead;
import dev.pgproxy.routing.sql.StatementShape;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Puts together what all loops have found in runs, and decides what of it is N+1. Thread-safe; reading parses what was found for
 * the first time, so it is not for event loops.
 *
 * <p>Within transaction blocks a finding counts if a foreign key or the name of a column says that its values come from the
 * parent, else if most runs had about as many executions as the parent gave rows. Outside of blocks, where one connection
 * serves one request after the other, most runs must be at least half as long as the parent has rows, too; without a link most
 * must be about as long.
 */
public final class Repetitions {
    /** Texts that were written anew and are remembered. */
    private static final int REMEMBERED = 1000;

    private record Wanted(
            String child,
            @Nullable String column,
            String parent,
            @Nullable String parentColumn) {}

    private record Written(
            @Nullable String batched, @Nullable String joined) {}

    private record Key(Kind kind, long high, long low, Caller caller) {}

    private final QueryStats stats;
    private final Function<String, @Nullable Catalog> catalogs;
    private final Map<Wanted, Written> written = Collections.synchronizedMap(new LinkedHashMap<>(64, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<Wanted, Written> eldest) {
            return size() > REMEMBERED;
        }
    });

    /**
     * Of these.
     *
     * @param catalogs definitions by the name of a database as clients call it; null where they are not known
     */
    public Repetitions(QueryStats stats, Function<String, @Nullable Catalog> catalogs) {
        this.stats = stats;
        this.catalogs = catalogs;
    }

    /** What is N+1, what loses the most time first. */
    public List<NPlusOne> nPlusOnes() {
        List<NPlusOne> found = new ArrayList<>();
        for (List<Finding> parts : parts()) {
            if (parts.getFirst().kind() == Kind.READ_BY_ROW) {
                judge(parts).ifPresent(found::add);
            }
        }
        found.sort(Comparator.comparingLong(NPlusOne::lost).reversed());
        return found;
    }

    /** Whatever else is repeated in rows, what takes the most time first. */
    public List<Repetition> others() {
        List<Repetition> others = new ArrayList<>();
        for (List<Finding> parts : parts()) {
            Finding first = parts.getFirst();
            if (first.kind() != Kind.READ_BY_ROW) {
                others.add(new Repetition(
                        first.kind() == Kind.SAME_VALUES ? What.SAME_VALUES : What.WRITE_BY_ROW,
                        first.statement(),
                        first.caller(),
                        sum(parts, Counter.OCCURRENCES, true) + sum(parts, Counter.OCCURRENCES, false),
                        sum(parts, Counter.EXECUTIONS, true),
                        sum(parts, Counter.EXECUTIONS, false),
                        sum(parts, Counter.NANOS, true) + sum(parts, Counter.NANOS, false),
                        time(last(parts))));
            }
        }
        others.sort(Comparator.comparingLong(Repetition::nanos).reversed());
        return others;
    }

    /** What is one finding, of all loops. */
    private Iterable<List<Finding>> parts() {
        Map<Key, List<Finding>> parts = new HashMap<>();
        for (LoopRuns loop : stats.runs()) {
            for (Finding each : loop.findings()) {
                Statement of = each.statement();
                parts.computeIfAbsent(
                                new Key(each.kind(), of.high(), of.low(), each.caller()), key -> new ArrayList<>(1))
                        .add(each);
            }
        }
        return parts.values();
    }

    private static long sum(List<Finding> parts, Counter counter, boolean inBlock) {
        long sum = 0;
        for (Finding part : parts) {
            sum += part.get(counter, inBlock);
        }
        return sum;
    }

    private static long last(List<Finding> parts) {
        long last = parts.getFirst().lastSeen();
        for (Finding part : parts) {
            last = part.lastSeen() - last > 0 ? part.lastSeen() : last;
        }
        return last;
    }

    private static long first(List<Finding> parts) {
        long first = parts.getFirst().firstSeen();
        for (Finding part : parts) {
            first = part.firstSeen() - first < 0 ? part.firstSeen() : first;
        }
        return first;
    }

    private static Instant time(long nanos) {
        return Instant.now().minusNanos(System.nanoTime() - nanos);
    }

    /** One that may be the parent. */
    private record Candidate(Statement statement, long occurrences, Link link) {}

    private Optional<NPlusOne> judge(List<Finding> parts) {
        Finding newest = parts.getFirst();
        for (Finding part : parts) {
            newest = part.lastSeen() - newest.lastSeen() > 0 ? part : newest;
        }
        Statement child = newest.statement();
        if (!readsTables(child)) {
            return Optional.empty();
        }
        Candidate parent = parent(child, parts, catalogs.apply(newest.caller().database()));
        Link link = parent == null ? Link.NONE : parent.link;
        boolean linked = link.by().compareTo(Link.By.NAME) >= 0;
        boolean inBlocks = linked || 2 * sum(parts, Counter.EXACT, true) >= sum(parts, Counter.OCCURRENCES, true);
        long runs = sum(parts, Counter.OCCURRENCES, false);
        boolean outside = 2 * sum(parts, linked ? Counter.MATCHED : Counter.EXACT, false) >= runs;
        long occurrences = counted(parts, Counter.OCCURRENCES, inBlocks, outside);
        if (occurrences <= 0) {
            return Optional.empty();
        }
        Written texts = parent == null ? new Written(null, null) : written(child, parent);
        Statement of = parent == null ? null : parent.statement;
        return Optional.of(new NPlusOne(
                child,
                of,
                link.by().toString(),
                newest.caller(),
                occurrences,
                counted(parts, Counter.EXECUTIONS, inBlocks, outside),
                counted(parts, Counter.NANOS, inBlocks, outside),
                tags(parts, newest),
                texts.batched,
                texts.joined,
                time(first(parts)),
                time(newest.lastSeen())));
    }

    private static @Nullable String tags(List<Finding> parts, Finding newest) {
        String tags = newest.tags();
        for (Finding part : parts) {
            tags = tags == null ? part.tags() : tags;
        }
        return tags;
    }

    private static long counted(List<Finding> parts, Counter counter, boolean inBlocks, boolean outside) {
        return (inBlocks ? sum(parts, counter, true) : 0) + (outside ? sum(parts, counter, false) : 0);
    }

    /** Whether it reads tables of users; what is not known may. */
    private static boolean readsTables(Statement statement) {
        StatementShape facts = statement.facts();
        return facts == null || facts.relations().stream().anyMatch(name -> !isSystem(name));
    }

    private static boolean isSystem(Name name) {
        String schema = name.schema();
        return schema == null
                ? name.name().startsWith("pg_")
                : schema.equals("pg_catalog") || schema.equals("information_schema");
    }

    private static @Nullable Candidate parent(Statement child, List<Finding> parts, @Nullable Catalog catalog) {
        List<Candidate> candidates = new ArrayList<>();
        for (Finding part : parts) {
            for (Finding.Parent each : part.parents()) {
                candidates.add(
                        new Candidate(each.statement(), each.occurrences(), Link.of(child, each.statement(), catalog)));
            }
        }
        Candidate best = null;
        for (Candidate each : candidates) {
            boolean better = best == null
                    || each.link.isBetterThan(best.link)
                    || each.link.by() == best.link.by() && each.occurrences > best.occurrences;
            best = better ? each : best;
        }
        return best;
    }

    private Written written(Statement child, Candidate parent) {
        Link link = parent.link;
        String column = link.column();
        Wanted wanted = new Wanted(child.text(), column, parent.statement.text(), link.parentColumn());
        Written known = written.get(wanted);
        if (known == null) {
            String from = link.parentColumn();
            String joined = column == null || from == null || link.by() != Link.By.FOREIGN_KEY
                    ? null
                    : RowRead.joined(child.text(), column, parent.statement.text(), from);
            known = new Written(RowRead.batched(child.text(), column), joined);
            written.put(wanted, known);
        }
        return known;
    }
}
