package dev.pgproxy.advice.index;

/**
 * What it costs to find rows in one way. Immutable.
 *
 * @param planner in the planner's units, which decide between ways
 * @param pages that are read, from memory or not, each as often as it is looked at: as EXPLAIN (ANALYZE, BUFFERS) counts
 */
record Cost(double planner, double pages) {
    static final Cost NONE = new Cost(0, 0);

    /** Of a way that does not exist. */
    static final Cost NEVER = new Cost(Double.POSITIVE_INFINITY, Double.POSITIVE_INFINITY);

    Cost plus(Cost other) {
        return new Cost(planner + other.planner, pages + other.pages);
    }

    Cost minus(Cost other) {
        return new Cost(planner - other.planner, pages - other.pages);
    }

    Cost times(double often) {
        return new Cost(planner * often, pages * often);
    }

    /** The one that the planner would take. */
    Cost or(Cost other) {
        return other.planner < planner ? other : this;
    }
}
