package dev.pgproxy.query;

import dev.pgproxy.protocol.frontend.FrontendWriter;
import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.protocol.sql.StatementFlags;
import dev.pgproxy.server.OwnReply;
import dev.pgproxy.server.ReplyQueue;
import dev.pgproxy.session.Session;
import dev.pgproxy.session.SharedStatement;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Gives a server the protocol's statements of a session under the client's own names where SQL can see them: EXECUTE,
 * DEALLOCATE or PREPARE under the name of one of them, and pg_prepared_statements, which shows a session its own
 * statements and no others. Confined to the
 * client's loop.
 */
final class VisibleStatements {
    private static final OwnReply ENDED = (error, status) -> {};

    private final Session session;
    private final ServerWriter out;

    VisibleStatements(Session session, ServerWriter out) {
        this.session = session;
        this.out = out;
    }

    /** These statements are about to be sent, in a Query or, if not {@code simple}, with a Parse or Bind. */
    void before(QueryFacts facts, boolean simple) {
        boolean changed = false;
        if (facts.has(StatementFlags.MENTIONS_PREPARED)) {
            changed = hideOthers();
            for (String name : session.statements().names()) {
                changed |= show(name, simple);
            }
        }
        for (int i = 0; i < facts.statementCount(); i++) {
            String name = StatementAlignment.named(facts.statements().get(i).effect());
            if (name != null) {
                changed |= show(name, simple);
            }
        }
        if (changed && simple) {
            FrontendWriter.sync(out.made());
            out.expect(ReplyQueue.SYNC | ReplyQueue.SWALLOW, ENDED);
        }
    }

    private boolean hideOthers() {
        List<SharedStatement> others = new ArrayList<>(out.server().statements().shared());
        others.removeIf(statement -> session.statements().find(name(statement)) == statement);
        for (SharedStatement other : others) {
            out.server().statements().remove(other);
            close(other.name(), other);
        }
        return !others.isEmpty();
    }

    private boolean show(String name, boolean simple) {
        SharedStatement wanted = session.statements().find(name);
        if (wanted == null || out.server().statements().own(name) == wanted) {
            return false;
        }
        boolean sameName = Arrays.equals(wanted.name(), name.getBytes(StandardCharsets.UTF_8));
        if (sameName && out.server().statements().has(wanted)) {
            return false;
        }
        SharedStatement there = out.server().statements().named(name);
        if (there != null || out.server().statements().own(name) != null) {
            out.server().statements().forget(name);
            close(name.getBytes(StandardCharsets.UTF_8), there);
        }
        StatementChange change;
        if (sameName) {
            out.server().statements().add(wanted);
            change = new StatementChange.Injected(wanted);
        } else {
            out.server().statements().own().put(name, wanted);
            change = new StatementChange.Shown(name);
        }
        FrontendWriter.parse(out.made(), name.getBytes(StandardCharsets.UTF_8), wanted.rest());
        out.expect(ReplyQueue.PARSE | ReplyQueue.SWALLOW, simple ? new StatementChange.Quiet(change) : change);
        return true;
    }

    private void close(byte[] name, @Nullable SharedStatement shared) {
        FrontendWriter.close(out.made(), FrontendWriter.STATEMENT, name);
        out.expect(ReplyQueue.CLOSE | ReplyQueue.SWALLOW, shared == null ? null : new StatementChange.Evicted(shared));
    }

    private static String name(SharedStatement statement) {
        return new String(statement.name(), StandardCharsets.UTF_8);
    }
}
