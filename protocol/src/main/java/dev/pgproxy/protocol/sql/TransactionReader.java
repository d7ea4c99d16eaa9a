package dev.pgproxy.protocol.sql;

import dev.pgproxy.protocol.sql.SessionEffect.Isolation;
import org.jspecify.annotations.Nullable;

/**
 * Reads the statements of transaction control (gram.y: TransactionStmt) and the modes they share with SET TRANSACTION.
 * Reused; confined to its event loop.
 */
final class TransactionReader {
    private @Nullable Boolean readOnly;
    private @Nullable Isolation isolation;

    void begin(StatementReader in) {
        if (in.is(Word.START)) {
            in.advance();
            if (!in.is(Word.TRANSACTION)) {
                in.kind = StatementKind.OTHER;
                in.notUnderstood();
                return;
            }
        }
        in.advance();
        skipWork(in);
        readModes(in);
        in.finish(
                readOnly == null && isolation == null
                        ? SessionEffect.Begin.PLAIN
                        : new SessionEffect.Begin(readOnly, isolation));
    }

    void setTransaction(StatementReader in) {
        String text = in.statementText();
        in.advance();
        if (in.accept(Word.SNAPSHOT)) {
            in.advance();
            readOnly = null;
            isolation = null;
        } else {
            readModes(in);
        }
        in.finish(new SessionEffect.SetTransaction(text, readOnly, isolation));
    }

    private void readModes(StatementReader in) {
        readOnly = null;
        isolation = null;
        while (!in.atEnd()) {
            if (in.accept(Word.READ)) {
                readOnly = in.is(Word.ONLY);
            } else if (in.accept(Word.ISOLATION)) {
                in.accept(Word.LEVEL);
                readIsolation(in);
            } else if (in.is(Word.NOT)) {
                in.advance();
            } else if (in.type() != ',' && !in.is(Word.DEFERRABLE)) {
                return;
            }
            in.advance();
        }
    }

    private void readIsolation(StatementReader in) {
        if (in.is(Word.SERIALIZABLE)) {
            isolation = Isolation.SERIALIZABLE;
        } else if (in.accept(Word.REPEATABLE)) {
            isolation = Isolation.REPEATABLE_READ;
        } else if (in.accept(Word.READ)) {
            isolation = in.is(Word.COMMITTED) ? Isolation.READ_COMMITTED : Isolation.READ_UNCOMMITTED;
        }
    }

    void commit(StatementReader in) {
        in.advance();
        if (in.accept(Word.PREPARED)) {
            in.kind = StatementKind.COMMIT_PREPARED;
            in.flags |= StatementFlags.REFUSES_TRANSACTION_BLOCK | StatementFlags.WRITES;
            return;
        }
        skipWork(in);
        in.finish(chain(in) ? new SessionEffect.Commit(true) : SessionEffect.Commit.PLAIN);
    }

    void rollback(StatementReader in) {
        in.advance();
        if (in.accept(Word.PREPARED)) {
            in.kind = StatementKind.ROLLBACK_PREPARED;
            in.flags |= StatementFlags.REFUSES_TRANSACTION_BLOCK | StatementFlags.WRITES;
            return;
        }
        skipWork(in);
        if (in.accept(Word.TO)) {
            in.kind = StatementKind.ROLLBACK_TO;
            String name = savepointName(in);
            in.finish(name == null ? null : new SessionEffect.RollbackTo(name));
            return;
        }
        in.finish(chain(in) ? new SessionEffect.Rollback(true) : SessionEffect.Rollback.PLAIN);
    }

    void savepoint(StatementReader in) {
        in.advance();
        String name = in.identifier();
        in.finish(name == null ? null : new SessionEffect.Savepoint(name));
    }

    void release(StatementReader in) {
        in.advance();
        String name = savepointName(in);
        in.finish(name == null ? null : new SessionEffect.Release(name));
    }

    /** PREPARE TRANSACTION 'gid', at the word TRANSACTION. */
    void prepare(StatementReader in) {
        in.kind = StatementKind.PREPARE_TRANSACTION;
        in.flags |= StatementFlags.WRITES;
        in.advance();
        String gid = in.string();
        in.finish(gid == null ? null : new SessionEffect.PrepareTransaction(gid));
    }

    private static void skipWork(StatementReader in) {
        if (!in.accept(Word.WORK)) {
            in.accept(Word.TRANSACTION);
        }
    }

    private static boolean chain(StatementReader in) {
        if (!in.accept(Word.AND)) {
            return false;
        }
        boolean chain = !in.accept(Word.NO);
        in.accept(Word.CHAIN);
        return chain;
    }

    /** The name behind an optional SAVEPOINT, which may be a name itself. */
    private static @Nullable String savepointName(StatementReader in) {
        boolean keyword = in.is(Word.SAVEPOINT);
        String name = in.identifier();
        return keyword && !in.atEnd() ? in.identifier() : name;
    }
}
