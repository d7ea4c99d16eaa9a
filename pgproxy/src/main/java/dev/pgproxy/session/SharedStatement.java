package dev.pgproxy.session;

import dev.pgproxy.protocol.frame.CString;
import dev.pgproxy.protocol.sql.QueryFacts;
import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;

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

    /** A statement that only one session has, because the server is its alone. */
    public static SharedStatement own(String name, byte[] rest, QueryFacts facts) {
        return new SharedStatement(name.getBytes(StandardCharsets.UTF_8), rest, facts);
    }

    /** Its name on servers, without terminator; not to be changed. */
    public byte[] name() {
        return name;
    }

    /** Whether these bytes are its name on servers. */
    public boolean isNamed(ByteBuf buf, int index, int length) {
        return length == name.length && CString.isAt(name, buf, index);
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
