package dev.pgproxy.protocol.sql;

import org.jspecify.annotations.Nullable;

/** Reads SET and RESET (gram.y: VariableSetStmt, VariableResetStmt). Confined to its event loop. */
final class SetReader {
    private final TransactionReader transactions;

    SetReader(TransactionReader transactions) {
        this.transactions = transactions;
    }

    void set(StatementReader in) {
        String text = in.statementText();
        in.advance();
        boolean local = in.accept(Word.LOCAL);
        boolean session = !local && in.accept(Word.SESSION);
        if (session && in.accept(Word.CHARACTERISTICS)) {
            in.effect = new SessionEffect.SetCharacteristics(text);
            return;
        }
        if (in.accept(Word.SESSION)) {
            session = true;
        }
        switch (in.word()) {
            case AUTHORIZATION -> {
                in.advance();
                authorization(in, text, local, in.is(Word.DEFAULT), session);
            }
            case TRANSACTION -> transactions.setTransaction(in);
            case CONSTRAINTS -> in.kind = StatementKind.SET_CONSTRAINTS;
            case TIME -> {
                in.advance();
                boolean zone = in.accept(Word.ZONE);
                boolean reset = in.is(Word.DEFAULT) || in.is(Word.LOCAL);
                parameter(in, zone ? "timezone" : null, text, local, reset);
            }
            case NAMES -> {
                in.advance();
                parameter(in, "client_encoding", text, local, in.atEnd() || in.is(Word.DEFAULT));
            }
            case SCHEMA -> in.effect = new SessionEffect.SetParameter("search_path", text, local);
            case XML -> {
                in.advance();
                parameter(in, in.accept(Word.OPTION) ? "xmloption" : null, text, local, false);
            }
            case ROLE -> {
                in.advance();
                boolean generic = in.accept(Word.TO) || passEquals(in);
                role(in, text, local, generic && in.is(Word.DEFAULT));
            }
            default -> generic(in, in.identifier(), text, local);
        }
    }

    private static boolean passEquals(StatementReader in) {
        boolean found = in.isOperator('=');
        if (found) {
            in.advance();
        }
        return found;
    }

    /** SET name TO value, at what follows the first part of the name. */
    private static void generic(StatementReader in, @Nullable String first, String text, boolean local) {
        String name = qualified(in, first);
        if (name == null || !(in.accept(Word.TO) || passEquals(in))) {
            in.notUnderstood(); // FROM CURRENT, or no SET at all
            return;
        }
        boolean reset = in.is(Word.DEFAULT);
        switch (name) {
            case "role" -> role(in, text, local, reset);
            case "session_authorization" -> authorization(in, text, local, reset, true);
            case "seed" -> {
                in.flags |= StatementFlags.UNPREDICTABLE_STATE;
                in.effect = new SessionEffect.SetSeed();
            }
            default -> parameter(in, name, text, local, reset);
        }
    }

    /** A name with its dots, in lower case; parameters are found whatever the case. */
    private static @Nullable String qualified(StatementReader in, @Nullable String first) {
        String name = first;
        while (name != null && in.accept('.')) {
            String next = in.identifier();
            name = next == null ? null : name + "." + next;
        }
        return name == null ? null : lower(name);
    }

    private static String lower(String name) {
        StringBuilder folded = new StringBuilder(name.length());
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            folded.append(c >= 'A' && c <= 'Z' ? (char) (c + 32) : c);
        }
        return folded.toString();
    }

    private static void parameter(
            StatementReader in, @Nullable String name, String text, boolean local, boolean reset) {
        if (name == null) {
            in.notUnderstood();
        } else if (reset && !local) {
            in.effect = new SessionEffect.ResetParameter(name);
        } else {
            in.effect = new SessionEffect.SetParameter(name, text, local);
        }
    }

    private static void role(StatementReader in, String text, boolean local, boolean reset) {
        in.effect = reset && !local ? new SessionEffect.ResetRole() : new SessionEffect.SetRole(text, local);
    }

    private static void authorization(StatementReader in, String text, boolean local, boolean reset, boolean complete) {
        if (!complete) {
            in.notUnderstood();
        } else if (reset && !local) {
            in.effect = new SessionEffect.ResetSessionAuthorization();
        } else {
            in.effect = new SessionEffect.SetSessionAuthorization(text, local);
        }
    }

    void reset(StatementReader in) {
        in.advance();
        if (in.accept(Word.ALL)) {
            in.finish(new SessionEffect.ResetAll());
        } else if (in.accept(Word.TIME)) {
            in.finish(in.accept(Word.ZONE) ? new SessionEffect.ResetParameter("timezone") : null);
        } else if (in.accept(Word.TRANSACTION)) {
            in.accept(Word.ISOLATION);
            in.finish(in.accept(Word.LEVEL) ? new SessionEffect.ResetParameter("transaction_isolation") : null);
        } else {
            String first = in.identifier();
            if ("session".equals(first) && in.accept(Word.AUTHORIZATION)) {
                first = "session_authorization";
            }
            String name = qualified(in, first);
            in.finish(name == null ? null : resetOf(name));
        }
    }

    private static SessionEffect resetOf(String name) {
        return switch (name) {
            case "role" -> new SessionEffect.ResetRole();
            case "session_authorization" -> new SessionEffect.ResetSessionAuthorization();
            default -> new SessionEffect.ResetParameter(name);
        };
    }
}
