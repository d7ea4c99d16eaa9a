package dev.pgproxy.query;

import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.session.SharedStatement;

/** Where statements shared between sessions come from. Implemented by {@link QueryFlow} over its pool. */
interface StatementSource {
    /** The shared statement of a text and everything that decides what it means now. */
    SharedStatement find(byte[] rest, String proposedName, QueryFacts facts);

    /** A statement of a session that has its server for itself. */
    SharedStatement own(String name, byte[] rest, QueryFacts facts);

    /** How many may be prepared on one server. */
    int maxPerServer();
}
