package dev.pgproxy.server;

import dev.pgproxy.protocol.sql.StatementFacts;

/**
 * Note of a statement that was sent in place of the client's, because we emulate it: when it completes, the client's own
 * takes effect on the session and its tag goes to the client. Immutable.
 *
 * @param statement the client's
 * @param tag of the CommandComplete that the client gets
 */
public record Substitute(StatementFacts statement, String tag) {}
