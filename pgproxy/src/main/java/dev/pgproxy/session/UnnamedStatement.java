package dev.pgproxy.session;

import dev.pgproxy.protocol.sql.QueryFacts;

/**
 * The unnamed prepared statement of a session: what to send again where another server has to execute it. Compared by
 * identity: a server remembers whose it has. Immutable.
 *
 * @param rest the body of its Parse behind the name; not to be changed
 */
public record UnnamedStatement(byte[] rest, QueryFacts facts) {
    @Override
    public boolean equals(Object other) {
        return this == other;
    }

    @Override
    public int hashCode() {
        return System.identityHashCode(this);
    }
}
