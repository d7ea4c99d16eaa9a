package dev.pgproxy.advice.index;

import dev.pgproxy.advice.facts.ColumnFacts;
import dev.pgproxy.advice.statement.TableUse;
import dev.pgproxy.advice.statement.TableUse.SortKey;
import dev.pgproxy.advice.statement.Term;
import dev.pgproxy.advice.statement.Term.Kind;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;

/** The indexes that could help one place of a statement: what must be equal first, then one range or the order. Immutable. */
record Candidates(Costs costs, TableUse use) {
    private static final int MOST_KEYS = 4;

    /** Of more rows an index is hardly smaller than a narrow table. */
    private static final double COVERED = 0.1;

    private static final int MOST_INCLUDED = 2;
    private static final int INCLUDED_BYTES = 32;

    /** A condition that most rows fulfil makes no index smaller. */
    private static final double FEW = 0.5;

    List<IndexCandidate> all() {
        List<IndexCandidate> all = new ArrayList<>();
        List<IndexCandidate.Key> values = keys(false);
        List<IndexCandidate.Key> joins = keys(true);
        List<Term> where = where();
        ordered(all, values, List.of());
        if (!where.isEmpty()) {
            ordered(all, values, where);
            if (values.isEmpty()) {
                Term first = where.getFirst();
                add(all, List.of(new IndexCandidate.Key(first.key(), first.column(), "", false)), where);
            }
        }
        if (joins.size() > values.size()) {
            add(all, joins, List.of());
            if (!where.isEmpty()) {
                add(all, joins, where);
            }
        }
        for (IndexCandidate plain : List.copyOf(all)) {
            covering(all, plain);
        }
        for (Term term : use.terms()) {
            if (term.kind() == Kind.CONTAINS) {
                content(all, term);
            }
        }
        return all;
    }

    /** With what else the statement needs, if that is little. */
    private void covering(List<IndexCandidate> all, IndexCandidate plain) {
        Set<String> needed = use.columns();
        if (needed == null || plain.shape().has(needed) || costs.selectivity(false) > COVERED) {
            return;
        }
        List<ColumnFacts> more = new ArrayList<>();
        int width = 0;
        for (ColumnFacts column : use.table().columns()) {
            boolean has = plain.shape().has(Set.of(column.name()));
            if (needed.contains(column.name()) && !has) {
                more.add(column);
                width += column.width();
            }
        }
        if (more.size() <= MOST_INCLUDED && width <= INCLUDED_BYTES) {
            all.add(plain.including(more));
        }
    }

    private void ordered(List<IndexCandidate> all, List<IndexCandidate.Key> values, List<Term> where) {
        add(all, values, where);
        if (values.size() > 1) {
            add(all, values.subList(0, 1), where);
        }
        for (Term term : use.terms()) {
            if (term.kind() == Kind.RANGE || term.kind() == Kind.PREFIX) {
                String opclass = term.kind() == Kind.PREFIX && !term.column().isC() ? pattern(term.column()) : "";
                List<IndexCandidate.Key> keys = new ArrayList<>(values);
                keys.add(new IndexCandidate.Key(term.key(), term.column(), opclass, false));
                add(all, keys, where);
            }
        }
        add(all, sorted(values), where);
    }

    private static String pattern(ColumnFacts column) {
        return switch (column.type()) {
            case "character varying" -> "varchar_pattern_ops";
            case "character" -> "bpchar_pattern_ops";
            default -> "text_pattern_ops";
        };
    }

    /** Most selective first. */
    private List<IndexCandidate.Key> keys(boolean joined) {
        List<Term> terms = new ArrayList<>();
        for (Term term : use.terms()) {
            boolean isKey =
                    term.kind() == Kind.EQUAL && isIndexable(term.column()) || joined && term.kind() == Kind.JOIN;
            if (isKey && terms.stream().noneMatch(each -> each.key().equals(term.key()))) {
                terms.add(term);
            }
        }
        terms.sort(Comparator.comparing(Term::isMany).thenComparingDouble(costs::selectivity));
        List<IndexCandidate.Key> keys = new ArrayList<>();
        for (Term term : terms.subList(0, Math.min(terms.size(), MOST_KEYS - 1))) {
            keys.add(new IndexCandidate.Key(term.key(), term.column(), "", false));
        }
        return keys;
    }

    private static boolean isIndexable(ColumnFacts column) {
        return !Set.of("json", "xml", "point", "polygon", "box", "jsonb").contains(column.type())
                && !column.type().endsWith("[]");
    }

    /** In the order that is asked for: all backwards is all forwards, for an index. */
    private List<IndexCandidate.Key> sorted(List<IndexCandidate.Key> values) {
        List<SortKey> sort = use.sort();
        boolean mixed = sort.stream().map(SortKey::descending).distinct().count() > 1;
        List<IndexCandidate.Key> keys = new ArrayList<>(values);
        for (SortKey key : sort) {
            ColumnFacts column = use.table().column(key.column());
            boolean there = keys.stream().anyMatch(each -> each.text().equals(key.column()));
            if (column == null || keys.size() >= MOST_KEYS) {
                return List.of();
            }
            if (!there) {
                keys.add(new IndexCandidate.Key(key.column(), column, "", mixed && key.descending()));
            }
        }
        return sort.isEmpty() ? List.of() : keys;
    }

    private List<Term> where() {
        List<Term> where = new ArrayList<>();
        for (Term term : use.terms()) {
            if (term.isConstant() && costs.selectivity(term) < FEW) {
                where.add(term);
            }
        }
        return where;
    }

    private void content(List<IndexCandidate> all, Term term) {
        boolean json = term.column().type().equals("jsonb");
        if (!term.isExpression() && (json || term.column().type().endsWith("[]"))) {
            IndexCandidate.Key key =
                    new IndexCandidate.Key(term.key(), term.column(), json ? "jsonb_path_ops" : "", false);
            all.add(new IndexCandidate(use.table(), "gin", List.of(key), List.of(), List.of()));
        }
    }

    private void add(List<IndexCandidate> all, List<IndexCandidate.Key> keys, List<Term> where) {
        IndexCandidate candidate = new IndexCandidate(use.table(), "btree", keys, List.of(), where);
        if (!keys.isEmpty() && !all.contains(candidate)) {
            all.add(candidate);
        }
    }
}
