package dev.pgproxy.query;

import dev.pgproxy.config.PoolMode;
import dev.pgproxy.protocol.frame.TransactionStatus;
import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.protocol.sql.SessionEffect;
import dev.pgproxy.protocol.sql.SqlText;
import dev.pgproxy.protocol.sql.StatementFlags;
import dev.pgproxy.server.OwnReply;
import dev.pgproxy.server.ServerConnection;
import dev.pgproxy.session.Session;
import dev.pgproxy.session.Settings;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The SQL that gives a server the statements of SQL PREPARE that the next exchange names, as the session has them. Only
 * the difference is sent. Stateless.
 */
final class StatementAlignment {
    private StatementAlignment() {}

    /** Tells the server what it has to be told before the exchange; false if that is nothing. */
    static boolean ask(Exchange exchange, Session session, ServerConnection server, PoolMode mode, OwnReply then) {
        Settings wanted = session.settings().get();
        List<String> sql = everything(exchange, session, server, mode);
        if (sql.isEmpty()) {
            return false;
        }
        server.ask(String.join(";", sql), (error, status) -> {
            if (error == null) {
                if (status == TransactionStatus.IDLE) {
                    server.settings().reset(wanted);
                } else {
                    server.settings().set(wanted);
                }
                wanted.names().stream().filter(Settings::isCustom).forEach(server.customSettings()::add);
            }
            then.done(error, status);
        });
        return true;
    }

    /** All that the server has to be told before the exchange; nothing in most cases. */
    static List<String> everything(Exchange exchange, Session session, ServerConnection server, PoolMode mode) {
        Settings wanted = session.settings().get();
        Settings present = server.settings().get();
        List<String> sql = List.of();
        if (present != wanted) {
            sql = SettingsAlignment.between(present, wanted);
            if (sql.isEmpty()) {
                server.settings().set(wanted);
            }
        }
        if (mode == PoolMode.SESSION) {
            return sql;
        }
        sql = placeholders(session, server, sql);
        Set<String> names = names(exchange, session, server);
        if (!names.isEmpty()) {
            sql = new ArrayList<>(sql);
            for (String name : names) {
                align(name, session, server, sql);
            }
        }
        return sql;
    }

    /** A custom parameter that was ever set is '' to its session, not NULL: RESET makes it so (guc.c). */
    private static List<String> placeholders(Session session, ServerConnection server, List<String> sql) {
        if (server.customSettings().containsAll(session.customSettings())) {
            return sql;
        }
        List<String> more = new ArrayList<>(sql);
        for (String name : session.customSettings()) {
            if (!server.customSettings().contains(name)
                    && session.settings().get().get(name) == null) {
                more.add("RESET " + SettingsAlignment.quoted(name));
            }
        }
        return more;
    }

    /** The names of statements that the exchange uses and SQL PREPARE or another client may have made. */
    private static Set<String> names(Exchange exchange, Session session, ServerConnection server) {
        Set<String> names = Set.of();
        for (int i = 0; i < exchange.size(); i++) {
            QueryFacts facts = exchange.facts(i);
            if (facts == null) {
                String bound = session.sqlStatements().isEmpty() ? null : exchange.statementName(i);
                if (bound != null && session.sqlStatements().containsKey(bound)) {
                    names = with(bound, names);
                }
                continue;
            }
            if (facts.has(StatementFlags.MENTIONS_PREPARED)) {
                names = new HashSet<>(names);
                names.addAll(session.sqlStatements().keySet());
                names.addAll(server.statements().own().keySet());
            }
            for (int s = 0; s < facts.statementCount(); s++) {
                String name = named(facts.statements().get(s).effect());
                if (name != null) {
                    names = with(name, names);
                }
            }
        }
        return names;
    }

    private static Set<String> with(String name, Set<String> names) {
        Set<String> more = names.isEmpty() ? new HashSet<>() : names;
        more.add(name);
        return more;
    }

    /** The prepared statement that a SQL statement is about. */
    static @Nullable String named(@Nullable SessionEffect effect) {
        if (effect == null) {
            return null;
        }
        return switch (effect) {
            case SessionEffect.Prepare prepare -> prepare.name();
            case SessionEffect.Execute execute -> execute.name();
            case SessionEffect.Deallocate deallocate -> deallocate.name();
            default -> null;
        };
    }

    /**
     * Makes one name on the server mean what it means in the session, or nothing. One that the protocol has prepared is
     * left to {@link ExchangeWriter}, which sends its Parse.
     */
    private static void align(String name, Session session, ServerConnection server, List<String> sql) {
        SessionEffect.Prepare wanted = session.sqlStatements().get(name);
        Object present = server.statements().own(name);
        if (present == null) {
            present = server.statements().named(name);
        }
        boolean same = wanted != null
                ? wanted.equals(present)
                : present == session.statements().find(name);
        if (same) {
            return;
        }
        if (present != null) {
            sql.add("DEALLOCATE " + SqlText.quoteIdentifier(name));
            server.statements().forget(name);
        }
        if (wanted != null) {
            sql.add(wanted.text());
            server.statements().own().put(name, wanted);
        }
    }
}
