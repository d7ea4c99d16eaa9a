package dev.pgproxy.session;

import dev.pgproxy.protocol.frame.CString;
import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.protocol.sql.StatementKind;
import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.EnumSet;
import java.util.Set;

/**
 * A prepared statement that sessions of one pool share: the same text, parameter types and everything else that decides
 * what the text means, under one name on every server. Compared by identity. Immutable, thread-safe.
 */
public final class SharedStatement {
    private static final Set<StatementKind> PLANNED = EnumSet.of(
            StatementKind.SELECT,
            StatementKind.VALUES,
            StatementKind.TABLE,
            StatementKind.WITH,
            StatementKind.INSERT,
            StatementKind.UPDATE,
            StatementKind.DELETE,
            StatementKind.MERGE);

    private final byte[] name;
    private final byte[] rest;
    private final QueryFacts facts;
    private final boolean planned;

    SharedStatement(byte[] name, byte[] rest, QueryFacts facts) {
        this.name = name;
        this.rest = rest;
        this.facts = facts;
        this.planned = PLANNED.contains(facts.kind());
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

    /**
     * Whether what it gives follows from definitions, so that PostgreSQL refuses to execute it once that has changed. What
     * FETCH or EXECUTE gives depends on the moment.
     */
    public boolean isPlanned() {
        return planned;
    }
}
