package dev.pgproxy.routing.sql;

/**
 * A name at a place where a relation can stand. Immutable.
 *
 * @param place of its first token
 * @param name as written
 * @param certain whether nothing but a relation (or a common table expression) can stand there
 * @param target whether the statement makes or changes it: then it is no common table expression
 */
record Mention(int place, Name name, boolean certain, boolean target) {}
