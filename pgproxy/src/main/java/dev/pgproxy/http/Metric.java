package dev.pgproxy.http;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One metric, and which columns of a table of the console it is read from. Immutable.
 *
 * @param name as Prometheus knows it
 * @param terms are added up
 * @param texts of the column that count as 1, where it is a flag; empty = any but NULL
 * @param help one line
 */
record Metric(Kind kind, String name, List<Term> terms, Set<String> texts, String help) {
    /** What its values are. */
    enum Kind {
        /** Goes up and down. */
        GAUGE,
        /** Only grows, until the program starts again. */
        COUNTER,
        /** 1 or 0. */
        FLAG,
        /** 1, and a label that is named like the column and has its text. */
        STATE;

        /** As in the exposition format. */
        String type() {
            return this == COUNTER ? "counter" : "gauge";
        }
    }

    /** A column and what its numbers are multiplied with. Immutable. */
    record Term(String column, double factor) {}

    /** Columns as {@code name}, {@code name*factor}, {@code name+other*factor}; numbers may end with a percent sign. */
    static Metric gauge(String name, String columns, String help) {
        return new Metric(Kind.GAUGE, name, terms(columns), Set.of(), help);
    }

    static Metric counter(String name, String columns, String help) {
        return new Metric(Kind.COUNTER, name, terms(columns), Set.of(), help);
    }

    static Metric flag(String name, String column, String help, String... texts) {
        return new Metric(Kind.FLAG, name, terms(column), Set.of(texts), help);
    }

    static Metric state(String name, String column, String help) {
        return new Metric(Kind.STATE, name, terms(column), Set.of(), help);
    }

    private static List<Term> terms(String columns) {
        List<Term> terms = new ArrayList<>();
        for (String term : columns.split("\\+", -1)) {
            int times = term.indexOf('*');
            terms.add(
                    times < 0
                            ? new Term(term, 1)
                            : new Term(term.substring(0, times), Double.parseDouble(term.substring(times + 1))));
        }
        return List.copyOf(terms);
    }

    /** The column of a flag or a state. */
    String column() {
        return terms.getFirst().column();
    }

    /** Its value in a row; null if there is none. */
    @Nullable
    Double value(Tables.Row row) {
        if (kind == Kind.FLAG) {
            String text = row.get(column());
            return text != null && (texts.isEmpty() || texts.contains(text)) ? 1.0 : 0.0;
        } else if (kind == Kind.STATE) {
            return row.get(column()) == null ? null : 1.0;
        }
        double sum = 0;
        for (Term term : terms) {
            String text = row.get(term.column());
            if (text == null) {
                return null;
            }
            sum += term.factor() * Double.parseDouble(text.replace(" %", ""));
        }
        return sum;
    }
}
