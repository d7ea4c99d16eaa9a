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
    private @Nullable Boolean deferrable;

    void begin(StatementReader in) {
        boolean start = in.is(Word.START);
        if (start) {
            in.advance();
            if (!in.is(Word.TRANSACTION)) {
                in.kind = StatementKind.OTHER;
                in.notUnderstood();
                return;
            }
        }
        in.advance();
        if (!start) {
            skipWork(in);
        }
        boolean understood = readModes(in);
        boolean plain = !start && readOnly == null && isolation == null && deferrable == null;
        String tag = start ? "START TRANSACTION" : "BEGIN";
        in.finish(
                !understood
                        ? null
                        : plain
                                ? SessionEffect.Begin.PLAIN
                                : new SessionEffect.Begin(readOnly, isolation, deferrable, tag));
    }

    void setTransaction(StatementReader in) {
        String text = in.statementText();
        in.advance();
        boolean understood = true;
        if (in.accept(Word.SNAPSHOT)) {
            in.advance();
            readOnly = null;
            isolation = null;
        } else {
            understood = readModes(in);
        }
        in.finish(understood ? new SessionEffect.SetTransaction(text, readOnly, isolation) : null);
    }

    /** Reads transaction_mode_list of gram.y, where commas between the modes may be left out. */
    private boolean readModes(StatementReader in) {
        readOnly = null;
        isolation = null;
        deferrable = null;
        boolean mode = true;
        while (!in.atEnd()) {
            if (in.accept(Word.READ)) {
                readOnly = in.is(Word.ONLY);
                mode = in.is(Word.ONLY) || in.is(Word.WRITE);
            } else if (in.accept(Word.ISOLATION)) {
                mode = in.accept(Word.LEVEL) && readIsolation(in);
            } else if (in.accept(Word.NOT)) {
                deferrable = false;
                mode = in.is(Word.DEFERRABLE);
            } else if (in.is(Word.DEFERRABLE)) {
                deferrable = true;
            } else {
                return false;
            }
            if (!mode) {
                return false;
            }
            in.advance();
            if (in.accept(',') && in.atEnd()) {
                return false;
            }
        }
        return true;
    }

    private boolean readIsolation(StatementReader in) {
        if (in.is(Word.SERIALIZABLE)) {
            isolation = Isolation.SERIALIZABLE;
            return true;
        }
        if (in.accept(Word.REPEATABLE)) {
            isolation = Isolation.REPEATABLE_READ;
            return in.is(Word.READ);
        }
        if (in.accept(Word.READ)) {
            isolation = in.is(Word.COMMITTED) ? Isolation.READ_COMMITTED : Isolation.READ_UNCOMMITTED;
            return in.is(Word.COMMITTED) || in.is(Word.UNCOMMITTED);
        }
        return false;
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
