package dev.pgproxy.pool;

import dev.pgproxy.server.Credentials;
import dev.pgproxy.session.SharedStatements;

/**
 * What the pools of one database and user have in common on all hosts. Thread-safe.
 *
 * @param credentials what they log in with
 * @param statements shared by their sessions
 * @param sequenceUsers which applications look at the values of sequences
 * @param catalog what is known of the database's definitions
 */
record PoolBooks(Credentials credentials, SharedStatements statements, SequenceUsers sequenceUsers, Catalog catalog) {
    PoolBooks() {
        this(new Credentials(), new SharedStatements(), new SequenceUsers(), new Catalog());
    }
}
