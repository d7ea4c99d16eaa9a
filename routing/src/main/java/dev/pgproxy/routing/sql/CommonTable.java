package dev.pgproxy.routing.sql;

/**
 * A common table expression. Immutable.
 *
 * @param from the first place where its name means it
 * @param to behind the last one
 */
record CommonTable(String name, int from, int to) {
    boolean isMeantBy(Mention mention) {
        return !mention.target()
                && mention.name().schema() == null
                && mention.name().name().equals(name)
                && mention.place() >= from
                && mention.place() < to;
    }
}
