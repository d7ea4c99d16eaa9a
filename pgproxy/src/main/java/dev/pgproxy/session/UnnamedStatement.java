package dev.pgproxy.session;

import dev.pgproxy.protocol.frame.CString;
import dev.pgproxy.protocol.sql.QueryFacts;
import io.netty.buffer.ByteBuf;

/**
 * The unnamed prepared statement of a session: what to send again where another server has to execute it. Compared by
 * identity: a server remembers whose it has. Immutable.
 *
 * @param rest the body of its Parse behind the name; not to be changed
 * @param reported the session's parameters when its facts were read: they decide what a text says
 */
public record UnnamedStatement(byte[] rest, QueryFacts facts, Reported reported) {
    /** Whether a Parse with these bytes behind its name, and these parameters, is the same again. */
    public boolean isSame(ByteBuf buf, int index, int length, Reported now) {
        return reported == now && rest.length == length && CString.isAt(rest, buf, index);
    }

    @Override
    public boolean equals(Object other) {
        return this == other;
    }

    @Override
    public int hashCode() {
        return System.identityHashCode(this);
    }
}
