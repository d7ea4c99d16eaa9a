package dev.pgproxy.advice.facts;

/** The planner's settings, as the server has them for control_user. Immutable. */
public record PlannerCosts(double sequentialPage, double randomPage, double tuple, double indexTuple, double operator) {
    /** PostgreSQL's own. */
    public static final PlannerCosts DEFAULT = new PlannerCosts(1, 4, 0.01, 0.005, 0.0025);
}
