package dev.pgproxy.protocol.sql;

import org.jspecify.annotations.Nullable;

/**
 * Gives a statement that is not an ordinary query its kind, flags and effect, by the first words of gram.y's rules.
 * What it finds stays in its {@link StatementReader}. Confined to its event loop.
 */
final class EffectReader {
    private static final int DEFINES = StatementFlags.DDL | StatementFlags.WRITES;

    private final StatementReader in = new StatementReader();
    private final TransactionReader transactions = new TransactionReader();
    private final SetReader settings = new SetReader(transactions);
    private final DefinitionReader definitions = new DefinitionReader();
    private final SetConfigReader setConfig = new SetConfigReader();

    /** Reads the statement that the tracker has followed to its end. */
    StatementReader read(SqlScanner scanner, StatementTracker tracker) {
        in.reset(scanner, tracker.start(), tracker.end());
        StatementKind kind = tracker.first().starts;
        if (kind == null) {
            in.flags |= StatementFlags.WRITES;
            in.notUnderstood();
            return in;
        }
        in.kind = kind;
        switch (kind) {
            case BEGIN -> transactions.begin(in);
            case COMMIT -> transactions.commit(in);
            case ROLLBACK -> transactions.rollback(in);
            case SAVEPOINT -> transactions.savepoint(in);
            case RELEASE -> transactions.release(in);
            case SET -> settings.set(in);
            case RESET -> settings.reset(in);
            case PREPARE, EXECUTE, DEALLOCATE, DECLARE, CLOSE -> prepared(kind);
            case LISTEN, UNLISTEN, NOTIFY -> channel(kind);
            case COPY_FROM -> copy();
            case EXPLAIN -> definitions.explain(in, tracker);
            default -> other(kind);
        }
        if (in.effect instanceof SessionEffect.Prepare prepare) {
            in.effect =
                    new SessionEffect.Prepare(prepare.name(), prepare.text(), prepare.bodyFlags() | tracker.flags());
        }
        return in;
    }

    /** Reads a SELECT that calls set_config. */
    StatementReader readSetConfig(SqlScanner scanner, StatementTracker tracker) {
        in.reset(scanner, tracker.start(), tracker.end());
        in.kind = StatementKind.SELECT;
        setConfig.read(in);
        return in;
    }

    private void other(StatementKind kind) {
        switch (kind) {
            case DISCARD -> discard();
            case LOAD -> {
                in.effect = new SessionEffect.Load();
                in.flags |= StatementFlags.UNPREDICTABLE_STATE;
            }
            case CREATE -> {
                definitions.create(in);
                in.flags |= DEFINES;
            }
            case ALTER -> {
                definitions.alter(in);
                in.flags |= DEFINES;
            }
            case DROP -> {
                definitions.drop(in);
                in.flags |= DEFINES | StatementFlags.MAY_RELEASE_STATE;
            }
            case TRUNCATE, GRANT, REVOKE, COMMENT, SECURITY_LABEL, IMPORT, REASSIGN, REFRESH -> in.flags |= DEFINES;
            // in some of their forms only, but that needs the catalog (partitioned tables)
            case REINDEX, CLUSTER -> in.flags |= DEFINES | StatementFlags.REFUSES_TRANSACTION_BLOCK;
            case VACUUM -> in.flags |= StatementFlags.WRITES | StatementFlags.REFUSES_TRANSACTION_BLOCK;
            case ANALYZE -> in.flags |= StatementFlags.WRITES;
            case DO, CALL -> in.flags |= StatementFlags.DO_OR_CALL | StatementFlags.WRITES;
            default -> {}
        }
    }

    private void prepared(StatementKind kind) {
        in.advance();
        switch (kind) {
            case PREPARE -> prepare();
            case EXECUTE -> DefinitionReader.execute(in, in.identifier());
            case DEALLOCATE -> deallocate();
            case DECLARE -> declare();
            default -> {
                in.flags |= StatementFlags.MAY_RELEASE_STATE;
                boolean all = in.accept(Word.ALL);
                String name = all ? null : in.identifier();
                in.finish(all || name != null ? new SessionEffect.CloseCursor(name) : null);
            }
        }
    }

    private void prepare() {
        if (in.is(Word.TRANSACTION)) {
            transactions.prepare(in);
            return;
        }
        String name = in.identifier();
        if (name == null || !in.skipTo(Word.AS)) {
            in.notUnderstood();
            return;
        }
        in.advance();
        in.bodyStart = in.position();
        int writes = DefinitionReader.writes(in.word()) ? StatementFlags.WRITES : 0;
        in.effect = new SessionEffect.Prepare(name, in.statementTextWithSemicolon(), writes);
        in.trackedFlags = StatementReader.ONLY_OPAQUE;
    }

    private void deallocate() {
        boolean keyword = in.is(Word.PREPARE);
        boolean all = in.accept(Word.ALL);
        String name = all ? null : in.identifier();
        if (keyword && !in.atEnd()) {
            all = in.accept(Word.ALL);
            name = all ? null : in.identifier();
        }
        in.finish(all || name != null ? new SessionEffect.Deallocate(name) : null);
    }

    private void declare() {
        String name = in.identifier();
        boolean hold = false;
        boolean with = false;
        while (!in.atEnd() && !in.is(Word.FOR)) {
            hold |= with && in.is(Word.HOLD);
            with = in.is(Word.WITH);
            in.advance();
        }
        if (name == null || !in.accept(Word.FOR)) {
            in.notUnderstood();
            return;
        }
        in.bodyStart = in.position();
        in.flags |= hold ? StatementFlags.HOLD_CURSOR : 0;
        in.effect = new SessionEffect.DeclareCursor(name, hold);
    }

    private void channel(StatementKind kind) {
        in.advance();
        boolean all = kind == StatementKind.UNLISTEN && in.isOperator('*');
        if (all) {
            in.advance();
        }
        String name = all ? null : in.identifier();
        if (kind == StatementKind.NOTIFY) {
            in.flags |= StatementFlags.NOTIFIES;
            if (in.accept(',')) {
                in.advance();
            }
        }
        in.flags |= kind == StatementKind.UNLISTEN ? StatementFlags.MAY_RELEASE_STATE : 0;
        in.finish(all || name != null ? channelEffect(kind, name) : null);
    }

    private static @Nullable SessionEffect channelEffect(StatementKind kind, @Nullable String name) {
        if (kind == StatementKind.UNLISTEN) {
            return new SessionEffect.Unlisten(name);
        }
        if (name == null) {
            return null;
        }
        return kind == StatementKind.LISTEN ? new SessionEffect.Listen(name) : new SessionEffect.Notify(name);
    }

    private void discard() {
        in.advance();
        in.flags |= StatementFlags.MAY_RELEASE_STATE;
        switch (in.word()) {
            case ALL -> {
                in.flags |= StatementFlags.REFUSES_TRANSACTION_BLOCK;
                in.effect = new SessionEffect.DiscardAll();
            }
            case TEMP, TEMPORARY -> in.effect = new SessionEffect.DiscardTemp();
            case PLANS -> in.effect = new SessionEffect.DiscardPlans();
            case SEQUENCES -> in.effect = new SessionEffect.DiscardSequences();
            default -> in.notUnderstood();
        }
    }

    /** Behind TO or FROM: anything but STDOUT and STDIN, which mean the client whichever of them is written. */
    private void file() {
        in.advance();
        String name = in.type() == TokenType.WORD ? in.identifier() : null;
        if (!"stdout".equals(name) && !"stdin".equals(name)) {
            in.flags |= StatementFlags.SERVER_FILE;
        }
    }

    private void copy() {
        in.advance();
        int body = in.type() == '(' ? in.position() + 1 : -1;
        int depth = 0;
        while (!in.atEnd()) {
            if (depth == 0 && in.is(Word.TO)) {
                in.kind = StatementKind.COPY_TO;
                in.bodyStart = body;
                file();
                return;
            }
            if (depth == 0 && in.is(Word.FROM)) {
                file();
                break;
            }
            depth += in.type() == '(' ? 1 : in.type() == ')' ? -1 : 0;
            in.advance();
        }
        in.flags |= StatementFlags.WRITES;
    }
}
