package dev.pgproxy.query;

import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.sql.SessionEffect;
import dev.pgproxy.server.OwnReply;
import dev.pgproxy.server.ServerConnection;
import dev.pgproxy.session.Session;
import dev.pgproxy.session.SharedStatement;
import dev.pgproxy.session.UnnamedStatement;
import org.jspecify.annotations.Nullable;

/**
 * What a Parse or Close in flight has already changed in our books, to be taken back if the server ignores it after an
 * error. Immutable.
 */
sealed interface StatementChange {
    /** Takes it back. */
    void undo(Session session, ServerConnection server);

    /** A client's Parse: {@code name} now means {@code statement}; {@code sent} if the server was asked too. */
    record Parsed(String name, SharedStatement statement, boolean sent) implements StatementChange {
        @Override
        public void undo(Session session, ServerConnection server) {
            session.statements().remove(name);
            if (sent) {
                server.statements().remove(statement);
            }
        }
    }

    /** A client's Parse of the unnamed statement. */
    record ParsedUnnamed(UnnamedStatement statement) implements StatementChange {
        @Override
        public void undo(Session session, ServerConnection server) {
            if (session.unnamed() == statement) {
                session.unnamed(null);
            }
            server.statements().unnamed(null);
        }
    }

    /** A Parse of ours, because this server lacked the statement; null for the unnamed one. */
    record Injected(@Nullable SharedStatement statement) implements StatementChange {
        @Override
        public void undo(Session session, ServerConnection server) {
            if (statement == null) {
                server.statements().unnamed(null);
            } else {
                server.statements().remove(statement);
            }
        }
    }

    /** A Parse of ours under the client's name, for SQL to see it. */
    record Shown(String name) implements StatementChange {
        @Override
        public void undo(Session session, ServerConnection server) {
            server.statements().own().remove(name);
        }
    }

    /** One whose error is not the client's: the statement is missing then, and the client's own text will tell. */
    record Quiet(StatementChange change) implements StatementChange, OwnReply {
        @Override
        public void undo(Session session, ServerConnection server) {
            change.undo(session, server);
        }

        @Override
        public void done(@Nullable ErrorFields error, byte status) {}
    }

    /** A Close of ours, to make room. */
    record Evicted(SharedStatement statement) implements StatementChange {
        @Override
        public void undo(Session session, ServerConnection server) {
            server.statements().add(statement);
        }
    }

    /** A client's Close. */
    record Closed(String name, @Nullable SharedStatement statement, SessionEffect.@Nullable Prepare sql)
            implements StatementChange {
        @Override
        public void undo(Session session, ServerConnection server) {
            if (statement != null) {
                session.statements().put(name, statement);
            }
            if (sql != null) {
                session.sqlStatements().put(name, sql);
            }
        }
    }
}
