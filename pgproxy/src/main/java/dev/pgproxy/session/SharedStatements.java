package dev.pgproxy.session;

import dev.pgproxy.protocol.sql.QueryFacts;
import io.netty.buffer.ByteBufUtil;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Finds the shared statement of a Parse message. One identity is text, parameter types and {@link Scope}. Weakly held:
 * a statement that no session and no server has is forgotten. Thread-safe; called once per Parse of a named statement.
 */
public final class SharedStatements {
    /**
     * What decides, besides the text, what a statement means.
     *
     * @param encoding client_encoding
     * @param conforming standard_conforming_strings
     * @param searchPath the SQL that set it, or empty
     * @param role the SQL that set role and session authorization, or empty
     * @param catalogVersion changes with each DDL seen
     */
    public record Scope(String encoding, String conforming, String searchPath, String role, long catalogVersion) {}

    private static final class Identity {
        private final byte[] rest;
        private final Scope scope;
        private final int hash;

        Identity(byte[] rest, Scope scope) {
            this.rest = rest;
            this.scope = scope;
            this.hash = 31 * Arrays.hashCode(rest) + scope.hashCode();
        }

        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Identity that && Arrays.equals(rest, that.rest) && scope.equals(that.scope);
        }

        @Override
        public int hashCode() {
            return hash;
        }
    }

    private static final class Reference extends WeakReference<SharedStatement> {
        private final Identity identity;
        private final String name;

        Reference(SharedStatement statement, Identity identity, String name, ReferenceQueue<SharedStatement> gone) {
            super(statement, gone);
            this.identity = identity;
            this.name = name;
        }
    }

    /** How names begin that no client has proposed. */
    public static final String PREFIX = "pgproxy_";

    private final Map<Identity, Reference> known = new HashMap<>();
    private final Map<String, Reference> names = new HashMap<>();
    private final ReferenceQueue<SharedStatement> gone = new ReferenceQueue<>();
    private long next;

    /**
     * The statement of this identity, made if it is new. Its name is the one that the first client uses where that is
     * free: a Bind by the same name then needs no rewriting. PostgreSQL would cut a longer one, so that two could meet.
     */
    public synchronized SharedStatement find(byte[] rest, Scope scope, String proposedName, QueryFacts facts) {
        forgetUnused();
        Identity identity = new Identity(rest, scope);
        Reference reference = known.get(identity);
        SharedStatement found = reference == null ? null : reference.get();
        if (found != null) {
            return found;
        }
        String name = ByteBufUtil.utf8Bytes(proposedName) > ClientStatements.MAX_NAME ? "" : proposedName;
        while (name.isEmpty() || names.containsKey(name)) {
            name = PREFIX + Long.toString(++next, 36);
        }
        SharedStatement made = new SharedStatement(name.getBytes(StandardCharsets.UTF_8), rest, facts);
        Reference made2 = new Reference(made, identity, name, gone);
        known.put(identity, made2);
        names.put(name, made2);
        return made;
    }

    /** How many are known. */
    public synchronized int size() {
        forgetUnused();
        return known.size();
    }

    private void forgetUnused() {
        for (Object dead = gone.poll(); dead != null; dead = gone.poll()) {
            Reference reference = (Reference) dead;
            known.remove(reference.identity, reference);
            names.remove(reference.name, reference);
        }
    }
}
