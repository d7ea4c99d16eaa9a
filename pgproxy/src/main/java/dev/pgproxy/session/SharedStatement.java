package dev.pgproxy.session;

import dev.pgproxy.protocol.sql.QueryFacts;

/**
 * A prepared statement that sessions of one pool share: the same text, parameter types and everything else that decides
 * what the text means, under one name on every server. Compared by identity. Immutable, thread-safe.
 */
public final class SharedStatement {
    private final byte[] name;
    private final byte[] rest;
    private final QueryFacts facts;

    SharedStatement(byte[] name, byte[] rest, QueryFacts facts) {
        this.name = name;
        this.rest = rest;
        this.facts = facts;
    }

    /** Its name on servers, without terminator; not to be changed. */
    public byte[] name() {
        return name;
    }

    /** The body of its Parse behind the name: text with terminator, number of types, types; not to be changed. */
    public byte[] rest() {
        return rest;
    }

    /** What its text says. */
    public QueryFacts facts() {
        return facts;
    }
}
