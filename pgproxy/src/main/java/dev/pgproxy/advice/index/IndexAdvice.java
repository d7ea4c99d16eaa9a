package dev.pgproxy.advice.index;

import dev.pgproxy.advice.Advice;
import dev.pgproxy.advice.Advice.Estimate;
import dev.pgproxy.advice.Load;
import dev.pgproxy.advice.facts.ColumnFacts;
import dev.pgproxy.advice.facts.DatabaseFacts;
import dev.pgproxy.advice.facts.IndexFacts;
import dev.pgproxy.advice.facts.TableFacts;
import dev.pgproxy.advice.statement.ReadStatement;
import dev.pgproxy.advice.statement.TableUse;
import dev.pgproxy.advice.statement.Term;
import dev.pgproxy.advice.statement.Term.Kind;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/**
 * Which indexes would make statements cheaper: of all candidates of a table the one that gains most, then the one that
 * gains most beside it, and so on. What is there already counts, so that what it covers gains nothing. Good for one look;
 * not shared.
 */
public final class IndexAdvice {
    /** Indexes proposed for one table at a time. */
    private static final int MOST = 3;

    private static final int MOST_CANDIDATES = 60;
    private static final int MOST_USES = 200;

    /** An index has to make the statement cheaper by this at least. */
    private static final double WORTH = 0.5;

    /** An index that carries columns, so that it changes whenever they do, has to gain so many times as much as another one. */
    private static final double CARRY_WORTH = 1.25;

    /** And so many pages for each call. */
    private static final double CARRY_PAGES = 100;

    /** Milliseconds per call, and per hour, below which nobody needs an index. */
    private static final double FAST = 0.5;

    private static final double LEAST_GAIN = 200;

    /** Milliseconds that one more index costs for each row that is written. */
    private static final double WRITE = 0.01;

    /** Pages on the way to where an entry goes, in each index. */
    private static final double ENTRY_PAGES = 3;

    private final DatabaseFacts facts;
    private final ToDoubleFunction<TableFacts> writes;
    private final Map<TableFacts, List<Use>> uses = new LinkedHashMap<>();
    private final Map<TableUse, Costs> costs = new HashMap<>();

    /** @param rest cost of the statement in its other places, as things are */
    private record Use(Load load, TableUse use, Cost rest) {}

    /**
     * @param before cost of the whole statement
     * @param after the same with the index
     */
    private record Gain(Use use, Cost before, Cost after, double perHour) {}

    /** @param writes rows of a table that are written per hour; negative = not known */
    public IndexAdvice(DatabaseFacts facts, ToDoubleFunction<TableFacts> writes) {
        this.facts = facts;
        this.writes = writes;
    }

    /** What to create for these. */
    public List<Advice> of(List<Load> loads) {
        for (Load load : loads) {
            ReadStatement statement = load.statement();
            if (statement != null && load.mean() >= FAST && load.calls() - load.cached() >= 2) {
                enter(load, statement);
            }
        }
        List<Advice> advice = new ArrayList<>();
        uses.forEach((table, list) -> {
            if (table.isLarge()) {
                propose(table, list, advice);
            }
        });
        return advice;
    }

    private void enter(Load load, ReadStatement statement) {
        Cost whole = written(load, statement);
        for (TableUse use : statement.uses()) {
            costs.put(use, new Costs(facts.surroundings().costs(), use, load.rowsPerCall()));
        }
        for (TableUse use : statement.uses()) {
            whole = whole.plus(cost(use, existing(use.table())));
        }
        for (TableUse use : statement.uses()) {
            List<Use> list = uses.computeIfAbsent(use.table(), table -> new ArrayList<>());
            if (list.size() < MOST_USES && use.terms().stream().noneMatch(term -> isPruned(use.table(), term))) {
                list.add(new Use(load, use, whole.minus(cost(use, existing(use.table())))));
            }
        }
    }

    /** Pages that are looked at once more to change rows; the planner leaves them out. */
    private Cost written(Load load, ReadStatement statement) {
        TableFacts table = statement.written();
        double each = table == null
                ? 0
                : switch (statement.verb()) {
                    case SELECT -> 0;
                    case DELETE, INSERT -> 1;
                    case UPDATE -> 1 + ENTRY_PAGES * (1 + facts.indexes(table).size());
                };
        return new Cost(0, each * load.rowsPerCall());
    }

    /** Which partitions are read then is not known here. */
    private static boolean isPruned(TableFacts table, Term term) {
        return table.partitionedBy().contains(term.column().name());
    }

    private List<IndexShape> existing(TableFacts table) {
        List<IndexShape> shapes = new ArrayList<>();
        for (IndexFacts index : facts.indexes(table)) {
            if (index.isValid()) {
                shapes.add(IndexShape.of(index));
            }
        }
        return shapes;
    }

    private Costs costs(TableUse use) {
        return costs.computeIfAbsent(use, each -> new Costs(facts.surroundings().costs(), each, 1));
    }

    /** The cheapest way: once through the table, or a look-up for each row of the table that it is joined with. */
    private Cost cost(TableUse use, List<IndexShape> indexes) {
        Costs of = costs(use);
        Cost best = of.sequential();
        Cost lookup = Cost.NEVER;
        for (IndexShape index : indexes) {
            best = best.or(of.by(index, false));
            lookup = lookup.or(of.by(index, true));
        }
        double driving = driving(use);
        return driving < 0 ? best : best.or(lookup.times(driving));
    }

    /** How many rows the tables give that it is joined with; negative if there is none that is known. */
    private double driving(TableUse use) {
        double least = -1;
        for (Term term : use.terms()) {
            TableUse other = term.kind() == Kind.JOIN ? term.other() : null;
            if (other != null) {
                double rows = Math.max(1, other.table().tuples() * costs(other).selectivity(false));
                least = least < 0 ? rows : Math.min(least, rows);
            }
        }
        return least;
    }

    private void propose(TableFacts table, List<Use> list, List<Advice> advice) {
        List<IndexShape> there = existing(table);
        List<IndexCandidate> candidates = new ArrayList<>();
        for (Use use : list) {
            for (IndexCandidate candidate : new Candidates(costs(use.use()), use.use()).all()) {
                if (candidates.size() < MOST_CANDIDATES && !candidates.contains(candidate)) {
                    candidates.add(candidate);
                }
            }
        }
        for (int i = 0; i < MOST; i++) {
            IndexCandidate best = null;
            List<Gain> gained = List.of();
            double most = 0;
            for (IndexCandidate candidate : candidates) {
                List<Gain> gains = gains(candidate, list, there);
                double all = gains.stream().mapToDouble(Gain::perHour).sum() - upkeep(table);
                boolean carries = candidate.isCarrying();
                boolean simpler = best != null
                        && !carries
                        && candidate.keys().size() < best.keys().size();
                if (all > most * (simpler ? 0.95 : carries ? CARRY_WORTH : 1.05)) {
                    best = candidate;
                    gained = gains;
                    most = all;
                }
            }
            if (best == null || most < LEAST_GAIN) {
                return;
            }
            advice.add(advice(best, gained, most));
            there.add(best.shape());
        }
    }

    private double upkeep(TableFacts table) {
        return Math.max(0, writes.applyAsDouble(table)) * WRITE;
    }

    private List<Gain> gains(IndexCandidate candidate, List<Use> list, List<IndexShape> there) {
        List<IndexShape> with = new ArrayList<>(there);
        with.add(candidate.shape());
        List<Gain> gains = new ArrayList<>();
        for (Use use : list) {
            Cost here = cost(use.use(), there);
            Cost then = cost(use.use(), with);
            Cost before = use.rest().plus(here);
            if (candidate.isCarrying() && here.pages() - then.pages() < CARRY_PAGES) {
                continue;
            }
            double share = (here.planner() - then.planner()) / before.planner();
            if (then.planner() <= here.planner() * WORTH && share > 0.2) {
                gains.add(new Gain(
                        use, before, use.rest().plus(then), share * use.load().servedPerHour()));
            }
        }
        return gains;
    }

    private Advice advice(IndexCandidate candidate, List<Gain> gains, double perHour) {
        Gain best = gains.getFirst();
        for (Gain gain : gains) {
            best = gain.perHour() > best.perHour() ? gain : best;
        }
        TableFacts table = candidate.table();
        List<ColumnFacts> columns = candidate.columns();
        double share = 1;
        for (Term term : candidate.where()) {
            share *= costs(best.use().use()).selectivity(term);
        }
        long bytes =
                (long) Costs.bytes(table, columns, share, candidate.method().equals("gin"));
        Load load = best.use().load();
        double written = writes.applyAsDouble(table);
        String why = String.format(
                Locale.ROOT,
                "%d statement%s would gain; the first: %d calls of %.1f ms. Estimated from %s. %s",
                gains.size(),
                gains.size() == 1 ? "" : "s",
                load.calls(),
                load.mean(),
                columns.stream().allMatch(ColumnFacts::isKnown)
                        ? "statistics"
                        : "the planner's defaults (control_user may not SELECT the columns)",
                written < 0
                        ? "How much is written is not known yet."
                        : String.format(
                                Locale.ROOT, "%.0f rows are written per hour, each a little slower then.", written));
        return new Advice(
                "index",
                perHour,
                load.fingerprint(),
                table.shown(),
                table.kind() == 'p'
                        ? "create this index; it blocks writes meanwhile, since the table is partitioned"
                        : "create this index",
                why,
                candidate.sql(),
                new Estimate(best.before().pages(), best.after().pages(), bytes, null));
    }
}
