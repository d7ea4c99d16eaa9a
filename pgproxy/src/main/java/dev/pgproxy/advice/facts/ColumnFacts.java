package dev.pgproxy.advice.facts;

/**
 * A column and what ANALYZE has found in it. Immutable.
 *
 * @param type as format_type says, without a length
 * @param isC whether LIKE 'prefix%' can use an ordinary index
 * @param isKnown whether there are statistics that control_user may see; else the rest is what the planner assumes
 * @param distinct as n_distinct: negative = share of the rows
 * @param nulls share of the rows
 * @param trues share of the rows, of a boolean column
 * @param correlation between the order of values and of rows
 * @param width bytes on average
 */
public record ColumnFacts(
        String name,
        String type,
        boolean isC,
        boolean isKnown,
        double distinct,
        double nulls,
        double trues,
        double correlation,
        int width) {
    /** The planner's DEFAULT_EQ_SEL. */
    private static final double EQUAL = 0.005;

    /** Share of the rows that have one value, on average. */
    public double equal(double tuples) {
        if (!isKnown || distinct == 0) {
            return EQUAL;
        }
        double values = distinct < 0 ? -distinct * Math.max(1, tuples) : distinct;
        return Math.min(1, (1 - nulls) / Math.max(1, values));
    }

    /** Whether it holds text that can be matched by LIKE. */
    public boolean isText() {
        return type.equals("text") || type.equals("character varying") || type.equals("character");
    }
}
