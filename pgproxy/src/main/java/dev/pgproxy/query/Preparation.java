package dev.pgproxy.query;

import dev.pgproxy.pool.PoolCounters.Counter;
import dev.pgproxy.protocol.backend.ResultColumns;
import dev.pgproxy.protocol.frontend.FrontendWriter;
import dev.pgproxy.server.DescriptionSink;
import dev.pgproxy.server.ReplyQueue;
import dev.pgproxy.server.ServerConnection;
import dev.pgproxy.session.ClientStatements;
import dev.pgproxy.session.Session;
import dev.pgproxy.session.SharedStatement;
import dev.pgproxy.session.UnnamedStatement;
import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;

/**
 * Gives a server the statements of the protocol that it lacks, and closes what must not answer to a client's name there. What a
 * shared statement gives is asked for with each Parse of it: its clients may go by the description of another server, and
 * definitions may have changed meanwhile. Confined to the client's loop.
 */
final class Preparation {
    private final Session session;
    private final PoolStatements source;
    private final boolean translates;
    private final ServerWriter out;

    /** Takes what a statement gives; it is also what its client believes if that knows nothing yet. */
    private record Description(ClientStatements.Entry entry, ServerConnection server) implements DescriptionSink {
        @Override
        public void described(ByteBuf buf, int index, int length) {
            ResultColumns columns = ResultColumns.read(buf, index, length);
            if (server.statements().has(entry.statement())) {
                server.statements().gives(entry.statement(), columns);
            }
            if (entry.gives() == ResultColumns.UNKNOWN) {
                entry.gives(columns);
            }
        }
    }

    /** @param translates false in session mode, where the server is the client's alone */
    Preparation(Session session, PoolStatements source, boolean translates, ServerWriter out) {
        this.session = session;
        this.source = source;
        this.translates = translates;
        this.out = out;
    }

    /** The session's unnamed statement is about to be used. */
    void needUnnamed() {
        UnnamedStatement wanted = session.unnamed();
        UnnamedStatement present = out.server().statements().unnamed();
        if (wanted != present && translates) {
            out.server().statements().unnamed(wanted);
            if (wanted == null) {
                FrontendWriter.close(out.made(), FrontendWriter.STATEMENT, ExchangeWriter.UNNAMED);
                out.expect(ReplyQueue.CLOSE | ReplyQueue.SWALLOW, null);
            } else {
                FrontendWriter.parse(out.made(), ExchangeWriter.UNNAMED, wanted.rest());
                out.expect(ReplyQueue.PARSE | ReplyQueue.SWALLOW, new StatementChange.Injected(null));
            }
        }
    }

    /** A statement is about to be used. */
    void need(ClientStatements.Entry entry) {
        if (!out.server().statements().has(entry.statement())) {
            parse(entry, ReplyQueue.PARSE | ReplyQueue.SWALLOW, new StatementChange.Injected(entry.statement()));
        }
    }

    /** Prepares a statement that is missing; {@code expected} and {@code note} are about its Parse. */
    void parse(ClientStatements.Entry entry, int expected, StatementChange note) {
        SharedStatement statement = entry.statement();
        prepare(statement, expected, note);
        if (statement.isPlanned()) {
            describe(statement, new Description(entry, out.server()));
        }
    }

    private void prepare(SharedStatement statement, int expected, StatementChange note) {
        makeRoom(statement);
        out.server().statements().add(statement);
        source.count(Counter.SERVER_PARSE_COUNT);
        FrontendWriter.parse(out.made(), statement.name(), statement.rest());
        out.expect(expected, note);
    }

    private void describe(SharedStatement statement, DescriptionSink to) {
        FrontendWriter.describe(out.made(), FrontendWriter.STATEMENT, statement.name());
        out.expect(ReplyQueue.DESCRIBE | ReplyQueue.SWALLOW, to);
    }

    /** Asks the server what a statement gives there, prepared if it is missing, in an exchange of its own; flushed at once. */
    void check(StatementCheck check) {
        SharedStatement statement = check.statement();
        if (!out.server().statements().has(statement)) {
            prepare(
                    statement,
                    ReplyQueue.PARSE | ReplyQueue.SWALLOW,
                    new StatementChange.Quiet(new StatementChange.Injected(statement)));
        }
        describe(statement, check);
        FrontendWriter.sync(out.made());
        out.expect(ReplyQueue.SYNC | ReplyQueue.SWALLOW, check);
        out.finish();
        out.server().channel().flush();
    }

    /** A statement gives something else than before: who parses its text from now on makes another one. */
    void changed(SharedStatement statement) {
        source.fresh(statement);
    }

    private void makeRoom(SharedStatement statement) {
        SharedStatement surplus = out.server().statements().surplus(source.maxPerServer());
        if (surplus != null) {
            evict(surplus);
        }
        String name = new String(statement.name(), StandardCharsets.UTF_8);
        if (out.server().statements().own().remove(name) != null) {
            FrontendWriter.close(out.made(), FrontendWriter.STATEMENT, statement.name());
            out.expect(ReplyQueue.CLOSE | ReplyQueue.SWALLOW, null);
        }
    }

    /** Closes one. */
    void evict(SharedStatement statement) {
        out.server().statements().remove(statement);
        FrontendWriter.close(out.made(), FrontendWriter.STATEMENT, statement.name());
        out.expect(ReplyQueue.CLOSE | ReplyQueue.SWALLOW, new StatementChange.Evicted(statement));
    }

    /** The session has no statement of this name: another's must not answer to it. */
    void closeForeign(ByteBuf buf, int nameAt, int nameEnd) {
        if (!translates) {
            return;
        }
        String name = buf.toString(nameAt, nameEnd - nameAt, StandardCharsets.UTF_8);
        SharedStatement shared = out.server().statements().named(name);
        boolean foreign = out.server().statements().own(name) != null
                && !session.sqlStatements().containsKey(name);
        if (shared != null || foreign) {
            out.server().statements().forget(name);
            FrontendWriter.close(out.made(), FrontendWriter.STATEMENT, name.getBytes(StandardCharsets.UTF_8));
            out.expect(
                    ReplyQueue.CLOSE | ReplyQueue.SWALLOW, shared == null ? null : new StatementChange.Evicted(shared));
        }
    }
}
