package dev.pgproxy.query;

import dev.pgproxy.config.PoolMode;
import dev.pgproxy.protocol.frame.TransactionStatus;
import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.protocol.sql.SessionEffect;
import dev.pgproxy.protocol.sql.SqlText;
import dev.pgproxy.protocol.sql.StatementFacts;
import dev.pgproxy.protocol.sql.StatementFlags;
import dev.pgproxy.server.OwnReply;
import dev.pgproxy.server.ServerConnection;
import dev.pgproxy.session.Session;
import dev.pgproxy.session.Settings;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
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
        List<String> statements = of(exchange, session, server);
        if (!statements.isEmpty()) {
            sql = new ArrayList<>(sql);
            sql.addAll(statements);
        }
        return sql;
    }

    /** Statements that make the server's statements under clients' own names what the exchange expects. */
    static List<String> of(Exchange exchange, Session session, ServerConnection server) {
        int watched = StatementFlags.MENTIONS_PREPARED;
        Set<String> names = new HashSet<>();
        for (int i = 0; i < exchange.size(); i++) {
            QueryFacts facts = exchange.facts(i);
            if (facts == null) {
                continue;
            }
            if (facts.has(watched)) {
                names.addAll(session.sqlStatements().keySet());
                names.addAll(server.statements().own().keySet());
            }
            for (StatementFacts statement : facts.statements()) {
                String name = named(statement.effect());
                if (name != null) {
                    names.add(name);
                }
            }
        }
        List<String> sql = new ArrayList<>();
        for (String name : names) {
            align(name, session, server, sql);
        }
        return sql;
    }

    private static @Nullable String named(@Nullable SessionEffect effect) {
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

    /** Makes one name on the server mean what it means in the session. */
    static void align(String name, Session session, ServerConnection server, List<String> sql) {
        Map<String, Object> own = server.statements().own();
        SessionEffect.Prepare wanted = session.sqlStatements().get(name);
        Object present = own.get(name);
        if (wanted != null && wanted.equals(present)) {
            return;
        }
        if (present != null) {
            sql.add("DEALLOCATE " + SqlText.quoteIdentifier(name));
            own.remove(name);
        }
        if (wanted != null) {
            sql.add(wanted.text());
            own.put(name, wanted);
        }
    }
}
