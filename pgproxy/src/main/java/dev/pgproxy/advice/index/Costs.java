package dev.pgproxy.advice.index;

import dev.pgproxy.advice.facts.ColumnFacts;
import dev.pgproxy.advice.facts.PlannerCosts;
import dev.pgproxy.advice.facts.TableFacts;
import dev.pgproxy.advice.statement.TableUse;
import dev.pgproxy.advice.statement.TableUse.SortKey;
import dev.pgproxy.advice.statement.Term;
import dev.pgproxy.advice.statement.Term.Kind;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What it costs to find the rows of one table in one place of a statement, by the planner's formulas as far as they are
 * simple. Source: src/backend/optimizer/path/costsize.c and utils/adt/selfuncs.c. Immutable.
 *
 * @param rows that a call gives on average
 */
record Costs(PlannerCosts unit, TableUse use, double rows) {
    /** DEFAULT_INEQ_SEL, for a bound on one side. */
    private static final double BOUND = 1.0 / 3;

    /** DEFAULT_RANGE_INEQ_SEL, for bounds on both. */
    private static final double RANGE = 0.005;

    /** DEFAULT_MATCH_SEL, as for what JSON contains. */
    private static final double MATCH = 0.005;

    private static final double CONTAINS = 0.001;
    private static final int LOOKED_FOR = 3;

    /** From so many pages on the planner has a helper read too, and one more for each three times as much. */
    private static final double PARALLEL_PAGES = 1024;

    /** Entries in a page of a btree, and pages below one of its inner pages, of keys of ordinary size. */
    private static final double LEAF_TUPLES = 300;

    private static final double FAN_OUT = 250;

    /** Pages of GIN from the root to what one key has, and rows in each of those that follow. */
    private static final double CONTENT_PAGES = 3;

    private static final double CONTENT_TUPLES = 2000;

    private double tuples() {
        return Math.max(1, use.table().tuples());
    }

    private double pages() {
        return Math.max(1, use.table().pages());
    }

    /** Share of the rows that fulfil a condition. */
    double selectivity(Term term) {
        ColumnFacts column = term.column();
        return switch (term.kind()) {
            case EQUAL, JOIN -> Math.min(1, column.equal(tuples()) * (term.isMany() ? LOOKED_FOR : 1));
            case RANGE -> observed(bounds(term) > 1 ? RANGE : BOUND);
            case PREFIX -> observed(MATCH);
            case CONTAINS -> observed(CONTAINS);
            case IS_NULL -> column.isKnown() ? column.nulls() : MATCH;
            case IS_NOT_NULL -> column.isKnown() ? 1 - column.nulls() : 1;
            case IS_TRUE -> column.isKnown() ? column.trues() : BOUND;
            case IS_FALSE -> column.isKnown() ? Math.max(0, 1 - column.trues() - column.nulls()) : BOUND;
        };
    }

    private int bounds(Term term) {
        int bounds = 0;
        for (Term each : use.terms()) {
            bounds += each.kind() == Kind.RANGE && each.key().equals(term.key()) ? 1 : 0;
        }
        return bounds;
    }

    /** The values are masked; but of a statement whose rows are those found here it is known how many they are. */
    private double observed(double assumed) {
        if (!use.isWhole() || use.isLimited() || use.others() > 0) {
            return assumed;
        }
        double others = 1;
        boolean first = true;
        for (Term term : use.terms()) {
            switch (term.kind()) {
                case RANGE, PREFIX, CONTAINS -> {
                    if (!first && !isSame(term)) {
                        return assumed; // which of them is how selective is not known
                    }
                    first = false;
                }
                case EQUAL, JOIN, IS_NULL, IS_NOT_NULL, IS_TRUE, IS_FALSE -> others *= selectivity(term);
            }
        }
        double share = Math.max(1, rows) / tuples() / Math.max(others, 1 / tuples());
        return Math.clamp(share, 1 / tuples(), 1);
    }

    private boolean isSame(Term term) {
        return use.terms().stream()
                .filter(each -> each.kind() == Kind.RANGE || each.kind() == Kind.PREFIX || each.kind() == Kind.CONTAINS)
                .allMatch(each -> each.key().equals(term.key()));
    }

    /** Of all conditions on the table itself together, and of those of joins too if its rows are looked up one by one. */
    double selectivity(boolean joined) {
        double share = 1;
        boolean ranged = false;
        for (Term term : use.terms()) {
            if (term.kind() == Kind.JOIN ? joined : !(ranged && term.kind() == Kind.RANGE)) {
                share *= selectivity(term);
                ranged |= term.kind() == Kind.RANGE;
            }
        }
        return Math.max(share, 1 / tuples());
    }

    /** From end to end. */
    Cost sequential() {
        double workers = 0;
        for (double size = PARALLEL_PAGES; pages() >= size && workers < 2; size *= 3) {
            workers++;
        }
        double share = workers == 0 ? 1 : workers + Math.max(0, 1 - 0.3 * workers);
        double cpu = tuples() * (unit.tuple() + unit.operator() * (use.terms().size() + use.others()));
        double found = tuples() * selectivity(false);
        double together = workers == 0 ? cpu : Math.min(cpu, cpu / share + 1000 + 0.1 * found);
        return new Cost(pages() * unit.sequentialPage() + together + sorting(found), pages());
    }

    /** In memory, all of them or only the first. */
    private double sorting(double found) {
        if (use.sort().isEmpty()) {
            return 0;
        }
        double kept = use.isLimited() ? Math.min(found, Math.max(1, rows) * 2) : found;
        return 2 * unit.operator() * found * Math.log(Math.max(2, kept)) / Math.log(2);
    }

    /**
     * By an index; {@link Cost#NEVER} if it is of no use.
     *
     * @param joined whether rows are looked up by what another table has
     */
    Cost by(IndexShape index, boolean joined) {
        double partial = partial(index);
        if (partial <= 0) {
            return Cost.NEVER;
        }
        return index.method().equals("gin") || index.method().equals("gist")
                ? byContent(index, partial)
                : byOrder(index, partial, joined);
    }

    /** Which share of the rows it has; 0 = the statement may need others. */
    private double partial(IndexShape index) {
        double share = index.isDoubtful() ? MATCH : 1;
        if (index.isDoubtful()) {
            return share;
        }
        for (String predicate : index.predicates()) {
            double found = 0;
            for (Term term : use.terms()) {
                if (IndexCandidate.predicate(term).equals(predicate)
                        || predicate.equals(IndexShape.predicate(term.key(), "ISNOTNULL"))
                                && term.kind() != Kind.IS_NULL) {
                    found = IndexCandidate.predicate(term).equals(predicate)
                            ? selectivity(term)
                            : 1 - term.column().nulls();
                }
            }
            share *= found;
        }
        return share;
    }

    private Cost byContent(IndexShape index, double partial) {
        for (Term term : use.terms()) {
            boolean has = index.keys().stream().anyMatch(key -> key.text().equals(term.key()));
            if (term.kind() == Kind.CONTAINS && has) {
                double found = Math.max(1, tuples() * selectivity(term) * partial);
                double cpu = found * (unit.tuple() + 2 * unit.operator()) + sorting(found);
                return new Cost(
                        8 * unit.randomPage() + heap(found, 0) + cpu,
                        CONTENT_PAGES + found / CONTENT_TUPLES + touched(found));
            }
        }
        return Cost.NEVER;
    }

    private Cost byOrder(IndexShape index, double partial, boolean joined) {
        double share = 1;
        int used = 0;
        double descents = 1;
        boolean oneValue = true;
        for (IndexShape.Key key : index.keys()) {
            Term term = term(key, joined, index.method());
            if (term == null) {
                break;
            }
            share *= selectivity(term);
            used++;
            if (term.kind() == Kind.RANGE || term.kind() == Kind.PREFIX) {
                oneValue = false;
                break;
            }
            oneValue &= !term.isMany();
            descents *= term.isMany() ? LOOKED_FOR : 1;
        }
        boolean sorted = index.method().equals("btree") && isSorted(index.keys(), joined);
        boolean reads = used > 0 || !index.predicates().isEmpty() && !index.isDoubtful() || sorted && use.isLimited();
        if (!reads) {
            return Cost.NEVER;
        }
        double found = Math.max(atLeast(), tuples() * partial * share);
        if (sorted && use.isLimited()) {
            double rest = Math.max(selectivity(joined) / Math.max(partial * share, 1e-12), 1e-9);
            found = Math.min(found, Math.max(1, rows) / Math.min(1, rest));
        }
        double correlation = used == 0 && index.predicates().isEmpty() ? 0 : correlation(index.keys(), oneValue);
        double inIndex = Math.ceil(found / 200) * unit.randomPage() + 0.5;
        double cpu = found
                * (unit.tuple()
                        + unit.indexTuple()
                        + unit.operator() * use.terms().size());
        Set<String> needed = use.columns();
        boolean only = needed != null && index.method().equals("btree") && index.has(needed);
        double looked =
                only ? 1 - Math.min(1, use.table().visible()) : 1; // share of the rows that the table is asked for
        double planner = inIndex
                + looked * heap(found, correlation)
                + cpu
                + (sorted ? 0 : sorting(tuples() * selectivity(joined)));
        double read = descents * depth(index, partial) + found / LEAF_TUPLES;
        double heap = sorted ? inOrder(found, correlation, partial) : touched(found, correlation, partial);
        return new Cost(planner, read + looked * heap);
    }

    /** If the rows of the result are those found here, an index finds them all, however conditions depend on each other. */
    private double atLeast() {
        return Math.max(1, use.isWhole() && !use.isLimited() ? rows : 1);
    }

    /** From the root to a leaf. */
    private double depth(IndexShape index, double partial) {
        double levels = 1;
        for (double blocks = tuples() * partial / LEAF_TUPLES; blocks > 1; blocks /= FAN_OUT) {
            levels++;
        }
        return index.method().equals("hash") ? 2 : levels;
    }

    /**
     * Rows that come in the order of an index: each has its page looked at, if it is not that of the row before.
     *
     * @param partial share of the rows that the index has: they may lie apart
     */
    private double inOrder(double found, double correlation, double partial) {
        double together = found * pages() / (tuples() * partial);
        return found + correlation * correlation * (Math.min(found, together) - found);
    }

    /** So many rows: each page once, as bitmap scans do. */
    private double touched(double found, double correlation, double partial) {
        double scattered = touched(found);
        double together = 1 + found * pages() / (tuples() * partial);
        return scattered + correlation * correlation * (Math.min(scattered, together) - scattered);
    }

    private double touched(double found) {
        return Math.min(pages(), 2 * pages() * found / (2 * pages() + found));
    }

    private double correlation(List<IndexShape.Key> keys, boolean oneValue) {
        ColumnFacts first = use.table().column(keys.getFirst().text());
        double known = first == null ? 0 : first.correlation();
        return keys.size() == 1 && !oneValue ? known : 0.75 * known;
    }

    /** What an index can look for with this key; null = nothing. */
    private @Nullable Term term(IndexShape.Key key, boolean joined, String method) {
        Term best = null;
        for (Term term : use.terms()) {
            boolean fits = term.key().equals(key.text())
                    && switch (term.kind()) {
                        case EQUAL -> true;
                        case JOIN -> joined;
                        case RANGE -> key.hasOrder() && method.equals("btree");
                        case IS_NULL, IS_TRUE, IS_FALSE -> method.equals("btree");
                        case PREFIX -> isPrefix(key, term);
                        case CONTAINS, IS_NOT_NULL -> false;
                    };
            if (fits && (best == null || selectivity(term) < selectivity(best))) {
                best = term;
            }
        }
        return best;
    }

    private static boolean isPrefix(IndexShape.Key key, Term term) {
        return key.matches() || term.column().isC();
    }

    /** Whether the rows come in the order that is asked for, forwards or backwards. */
    private boolean isSorted(List<IndexShape.Key> keys, boolean joined) {
        List<SortKey> sort = use.sort();
        int at = 0;
        int turned = 0; // 1 = as it is, 2 = backwards
        for (IndexShape.Key key : keys) {
            if (at == sort.size()) {
                break;
            }
            if (key.text().equals(sort.get(at).column()) && key.hasOrder()) {
                int way = key.descending() == sort.get(at).descending() ? 1 : 2;
                if (turned != 0 && turned != way) {
                    return false;
                }
                turned = way;
                at++;
            } else if (!isOneValue(key, joined)) {
                return false;
            }
        }
        return at > 0 && at == sort.size();
    }

    private boolean isOneValue(IndexShape.Key key, boolean joined) {
        return use.terms().stream()
                .anyMatch(term -> term.key().equals(key.text())
                        && !term.isMany()
                        && (term.kind() == Kind.EQUAL
                                || term.kind() == Kind.IS_TRUE
                                || term.kind() == Kind.IS_FALSE
                                || joined && term.kind() == Kind.JOIN));
    }

    /** So many rows of the table itself: index_pages_fetched and cost_bitmap_heap_scan, interpolated by correlation. */
    private double heap(double found, double correlation) {
        double touched = touched(found);
        double each = touched < 2
                ? unit.randomPage()
                : unit.randomPage() - (unit.randomPage() - unit.sequentialPage()) * Math.sqrt(touched / pages());
        double scattered = touched * each;
        double together =
                unit.randomPage() + Math.max(0, Math.ceil(found * pages() / tuples()) - 1) * unit.sequentialPage();
        double weight = correlation * correlation;
        return scattered + weight * (Math.min(scattered, together) - scattered);
    }

    static double bytes(TableFacts table, List<ColumnFacts> columns, double share, boolean gin) {
        double width = 16;
        for (ColumnFacts column : columns) {
            width += Math.max(4, column.width());
        }
        return Math.max(8192, table.tuples() * share * width * (gin ? 0.7 : 1.15));
    }
}
