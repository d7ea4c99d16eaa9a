package dev.pgproxy.routing.sql;

/** What names mean at a place inside a pair of parentheses, or outside of all. */
enum Clause {
    /** No relations but behind words that announce one. */
    OTHER,
    /** Behind FROM, USING or JOIN: a comma or parenthesis brings the next relation. */
    FROM_LIST,
    /** Behind the ON of a join: a comma leads back to {@link #FROM_LIST}. */
    JOIN_CONDITION,
    /** Behind GROUP BY: CUBE and ROLLUP are no functions here. */
    GROUPING
}
