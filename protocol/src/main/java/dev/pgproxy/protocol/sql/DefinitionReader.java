package dev.pgproxy.protocol.sql;

import org.jspecify.annotations.Nullable;

/**
 * Reads of statements about objects what matters to a pool: whether they make temporary objects, and whether
 * PostgreSQL refuses them inside a transaction block (src/backend/tcop/utility.c, PreventInTransactionBlock). Confined
 * to its event loop.
 */
final class DefinitionReader {
    void create(StatementReader in) {
        in.advance();
        if (in.accept(Word.OR)) {
            in.accept(Word.REPLACE);
        }
        if (!in.accept(Word.LOCAL)) {
            in.accept(Word.GLOBAL);
        }
        boolean temporary = in.accept(Word.TEMPORARY) || in.accept(Word.TEMP);
        in.accept(Word.UNLOGGED);
        in.accept(Word.UNIQUE);
        Word object = in.word();
        refuses(in, object);
        if (temporary) {
            in.flags |= StatementFlags.CREATES_TEMP;
        }
        switch (object) {
            case TABLE, VIEW, SEQUENCE, RECURSIVE, MATERIALIZED, FOREIGN -> relation(in, temporary);
            case INDEX -> {
                in.advance();
                if (in.is(Word.CONCURRENTLY)) {
                    in.flags |= StatementFlags.REFUSES_TRANSACTION_BLOCK;
                }
            }
            default ->
                in.flags |= StatementFlags.MAY_DEFINE_CODE | (mentionsTemp(in) ? StatementFlags.CREATES_TEMP : 0);
        }
    }

    private static void relation(StatementReader in, boolean temporary) {
        while (in.is(Word.RECURSIVE) || in.is(Word.MATERIALIZED) || in.is(Word.FOREIGN)) {
            in.advance();
        }
        in.advance();
        if (in.accept(Word.IF)) {
            in.accept(Word.NOT);
            in.accept(Word.EXISTS);
        }
        String name = in.identifier();
        boolean temp = temporary;
        while (name != null && in.accept('.')) {
            temp |= isTempSchema(name);
            name = in.identifier();
        }
        if (temp) {
            in.flags |= StatementFlags.CREATES_TEMP;
            in.effect = name == null ? null : new SessionEffect.CreateTemp(name);
        }
        if (in.skipTo(Word.AS)) {
            in.advance();
            in.bodyStart = in.position();
            if (in.accept(Word.EXECUTE)) {
                String executed = in.identifier();
                if (executed == null) {
                    in.notUnderstood();
                } else {
                    in.effect = new SessionEffect.Execute(executed);
                }
            }
        }
    }

    private static boolean isTempSchema(String name) {
        return name.startsWith("pg_temp");
    }

    private static boolean mentionsTemp(StatementReader in) {
        while (!in.atEnd()) {
            String name = in.identifier();
            if (name == null) {
                in.advance();
            } else if (isTempSchema(name)) {
                return true;
            }
        }
        return false;
    }

    void alter(StatementReader in) {
        in.advance();
        Word object = in.word();
        switch (object) {
            case SYSTEM, SUBSCRIPTION -> in.flags |= StatementFlags.REFUSES_TRANSACTION_BLOCK;
            case DATABASE -> refusesIf(in, in.skipTo(Word.TABLESPACE));
            default -> refusesIf(in, in.skipTo(Word.CONCURRENTLY));
        }
    }

    void drop(StatementReader in) {
        in.advance();
        Word object = in.word();
        refuses(in, object);
        if (object == Word.INDEX) {
            in.advance();
            refusesIf(in, in.is(Word.CONCURRENTLY));
        }
    }

    private static void refuses(StatementReader in, Word object) {
        refusesIf(in, object == Word.DATABASE || object == Word.TABLESPACE || object == Word.SUBSCRIPTION);
    }

    private static void refusesIf(StatementReader in, boolean condition) {
        in.flags |= condition ? StatementFlags.REFUSES_TRANSACTION_BLOCK : 0;
    }

    /** EXPLAIN, which executes the statement inside it only with ANALYZE. */
    void explain(StatementReader in, StatementTracker tracker) {
        in.advance();
        boolean analyze = false;
        if (in.type() == '(') {
            int opened = in.position();
            in.advance();
            boolean query = in.type() == '(' || beginsQuery(in.word());
            analyze = in.skipParenthesesWithAnalyze();
            if (query) { // EXPLAIN (SELECT …) UNION …: these are no options
                in.bodyStart = opened;
                in.flags = 0;
                in.trackedFlags = StatementReader.PLANNED;
                return;
            }
        } else {
            analyze = in.accept(Word.ANALYZE) || in.accept(Word.ANALYSE);
            in.accept(Word.VERBOSE);
        }
        in.bodyStart = in.atEnd() ? -1 : in.position();
        Word verb = in.word();
        if (in.accept(Word.EXECUTE)) {
            execute(in, in.identifier());
        } else if (verb == Word.CREATE) {
            create(in);
        }
        if (!analyze) {
            in.flags = 0;
            in.trackedFlags = StatementReader.PLANNED;
            in.effect = in.effect instanceof SessionEffect.Execute executed ? executed : null;
        } else {
            in.flags |= StatementFlags.EXPLAINS_BY_EXECUTING
                    | (writes(verb) || tracker.writesInside() ? StatementFlags.WRITES : 0);
        }
    }

    /** Whether a word can begin no option of EXPLAIN: it is reserved. */
    private static boolean beginsQuery(Word word) {
        return switch (word) {
            case SELECT, WITH, TABLE -> true;
            default -> false;
        };
    }

    static boolean writes(Word verb) {
        return switch (verb) {
            case INSERT, UPDATE, DELETE, MERGE, CREATE, REFRESH, EXECUTE -> true;
            default -> false;
        };
    }

    /** EXECUTE, at what follows the name. */
    static void execute(StatementReader in, @Nullable String name) {
        if (name == null) {
            in.notUnderstood();
        } else {
            in.effect = new SessionEffect.Execute(name);
        }
    }
}
