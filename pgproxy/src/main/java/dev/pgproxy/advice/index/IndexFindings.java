package dev.pgproxy.advice.index;

import dev.pgproxy.advice.facts.DatabaseFacts;
import dev.pgproxy.advice.facts.ForeignKey;
import dev.pgproxy.advice.facts.Identifier;
import dev.pgproxy.advice.facts.IndexFacts;
import dev.pgproxy.advice.facts.TableFacts;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Indexes that are not needed, or missing behind foreign keys, and tables that are read from end to end. Immutable. */
public record IndexFindings(DatabaseFacts facts) {
    private static final int BLOCK = 8192;

    /** Smaller indexes are not worth a word. */
    private static final long LEAST_BYTES = 5L * BLOCK;

    /** Statistics that are younger say nothing of what is not used. */
    private static final Duration YOUNG = Duration.ofDays(1);

    private static final int MANY_SCANS = 20;
    private static final double LONG_SCAN = 50_000;
    private static final long MANY_ROWS = 1000;
    private static final int MOST = 200;

    /** All of them, the largest first. */
    public List<IndexFinding> all() {
        List<IndexFinding> findings = new ArrayList<>();
        for (TableFacts table : facts.tables()) {
            table(table, findings);
        }
        for (ForeignKey key : facts.foreignKeys()) {
            foreignKey(key, findings);
        }
        findings.sort(Comparator.comparingLong(IndexFinding::bytes).reversed());
        return List.copyOf(findings.subList(0, Math.min(findings.size(), MOST)));
    }

    private void table(TableFacts table, List<IndexFinding> findings) {
        List<IndexFacts> indexes = facts.indexes(table);
        for (IndexFacts index : indexes) {
            IndexFacts better = index.isPartitioned() ? null : better(index, indexes);
            if (better != null) {
                boolean same = better.keys().size() == index.keys().size();
                findings.add(drop(
                        same ? "duplicate" : "redundant",
                        table,
                        index,
                        (same ? "the same as " : "its columns are the first of ") + better.name()));
            } else if (isUnused(table, index)) {
                findings.add(drop("unused", table, index, "never used " + since()));
            }
        }
        analyze(table, findings);
        sequentialScans(table, findings);
    }

    private String since() {
        Instant since = facts.surroundings().since();
        return since == null ? "since the statistics began (they were never reset)" : "since " + since;
    }

    private static IndexFinding drop(String kind, TableFacts table, IndexFacts index, String reason) {
        return new IndexFinding(
                kind,
                table.shown(),
                index.name(),
                index.bytes(),
                index.scans(),
                reason,
                "DROP INDEX CONCURRENTLY " + index.sql());
    }

    private boolean isUnused(TableFacts table, IndexFacts index) {
        Instant since = facts.surroundings().since();
        boolean old = since == null || since.isBefore(Instant.now().minus(YOUNG));
        TableFacts.Activity activity = table.activity();
        return facts.surroundings().isWhole()
                && old
                && index.scans() == 0
                && index.isValid()
                && !index.isUnique()
                && !index.isConstraint()
                && !index.isPartitioned()
                && index.bytes() >= LEAST_BYTES
                && activity.sequentialScans() + activity.indexScans() > 0
                && facts.foreignKeys().stream()
                        .noneMatch(key -> key.table() == table.oid() && isFor(index, key.columns()));
    }

    // ---- the same columns

    /** One that does all that this one does; of two that are the same the one that stays. */
    private static @Nullable IndexFacts better(IndexFacts index, List<IndexFacts> indexes) {
        if (index.isConstraint() || !index.isValid()) {
            return null;
        }
        for (IndexFacts other : indexes) {
            boolean candidate = other != index
                    && other.isValid()
                    && other.method().equals(index.method())
                    && other.predicate().equals(index.predicate());
            boolean same = candidate && other.keys().equals(index.keys());
            if (same
                    && (other.isUnique() || !index.isUnique())
                    && hasAll(other, index)
                    && (isStronger(other, index) || !isStronger(index, other) && other.oid() < index.oid())) {
                return other;
            }
            if (candidate && !same && !index.isUnique() && isPrefix(index, other)) {
                return other;
            }
        }
        return null;
    }

    private static boolean isStronger(IndexFacts one, IndexFacts other) {
        return one.isConstraint() && !other.isConstraint()
                || one.isUnique() && !other.isUnique()
                || one.included().size() > other.included().size();
    }

    private static boolean isPrefix(IndexFacts index, IndexFacts longer) {
        return index.method().equals("btree")
                && longer.keys().size() > index.keys().size()
                && longer.keys().subList(0, index.keys().size()).equals(index.keys())
                && hasAll(longer, index);
    }

    private static boolean hasAll(IndexFacts other, IndexFacts index) {
        return index.included().stream()
                .allMatch(column -> other.included().contains(column)
                        || other.keys().stream().anyMatch(key -> key.text().equals(column)));
    }

    // ---- foreign keys

    private void foreignKey(ForeignKey key, List<IndexFinding> findings) {
        TableFacts table = facts.table(key.table());
        TableFacts target = facts.table(key.target());
        if (table == null || target == null || !table.isLarge()) {
            return;
        }
        for (IndexFacts index : facts.indexes(table)) {
            if (isFor(index, key.columns())) {
                return;
            }
        }
        List<String> columns = key.columns().stream().map(Identifier::quoted).toList();
        findings.add(new IndexFinding(
                "foreign_key",
                table.shown(),
                "",
                (long) (table.pages() * BLOCK),
                null,
                "no index for " + key.name() + ": a DELETE or a change of the key in " + target.shown()
                        + " reads this table from end to end",
                "CREATE INDEX " + (table.kind() == 'p' ? "ON " : "CONCURRENTLY ON ") + table.sql() + " ("
                        + String.join(", ", columns) + ")"));
    }

    /** Whether it finds rows by these columns, in whatever order. */
    private static boolean isFor(IndexFacts index, List<String> columns) {
        boolean finds = index.isValid()
                && (index.method().equals("btree") || index.method().equals("hash"))
                && index.keys().size() >= columns.size();
        String notNull = columns.size() == 1 ? "(" + Identifier.quoted(columns.getFirst()) + " IS NOT NULL)" : "";
        return finds
                && (index.predicate().isEmpty() || index.predicate().equals(notNull))
                && Set.copyOf(columns)
                        .equals(Set.copyOf(index.keys().subList(0, columns.size()).stream()
                                .map(IndexFacts.Key::text)
                                .toList()));
    }

    // ---- tables

    private static void analyze(TableFacts table, List<IndexFinding> findings) {
        TableFacts.Activity activity = table.activity();
        boolean never = !activity.isAnalyzed() && activity.live() >= MANY_ROWS;
        boolean changed = activity.isAnalyzed()
                && activity.live() >= MANY_ROWS
                && activity.changed() > 0.3 * activity.live() + MANY_ROWS;
        if (table.kind() != 'p' && (never || changed)) {
            findings.add(new IndexFinding(
                    "analyze",
                    table.shown(),
                    "",
                    (long) (table.pages() * BLOCK),
                    null,
                    never
                            ? "never analyzed, with about " + activity.live() + " rows: the planner guesses"
                            : activity.changed() + " rows written since the last ANALYZE, of " + activity.live(),
                    "ANALYZE " + table.sql()));
        }
    }

    private void sequentialScans(TableFacts table, List<IndexFinding> findings) {
        TableFacts.Activity activity = table.activity();
        double each =
                activity.sequentialScans() == 0 ? 0 : (double) activity.sequentialTuples() / activity.sequentialScans();
        if (table.isLarge()
                && activity.sequentialScans() >= MANY_SCANS
                && activity.sequentialScans() > activity.indexScans() / 100
                && each >= Math.max(LONG_SCAN, table.tuples() / 3)) {
            findings.add(new IndexFinding(
                    "sequential_scans",
                    table.shown(),
                    "",
                    (long) (table.pages() * BLOCK),
                    activity.sequentialScans(),
                    String.format(
                            Locale.ROOT,
                            "read from end to end %d times %s, %.0f rows each; SHOW ADVICE may know an index",
                            activity.sequentialScans(),
                            since(),
                            each),
                    ""));
        }
    }
}
