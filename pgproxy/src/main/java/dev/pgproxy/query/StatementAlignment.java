package dev.pgproxy.query;

import dev.pgproxy.config.PoolMode;
import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.backend.SqlState;
import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.protocol.sql.SessionEffect;
import dev.pgproxy.protocol.sql.SqlText;
import dev.pgproxy.protocol.sql.StatementFlags;
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
    /** The difference would have to be sent while the server waits for a Sync, and could not be sent before. */
    private static final ErrorFields OUT_OF_PLACE = ErrorFields.fatal(
            SqlState.FEATURE_NOT_SUPPORTED,
            "prepared statement of SQL named before Sync in a transaction that had failed",
            "Send Sync after ROLLBACK.");

    private StatementAlignment() {}

    /**
     * The queries with all that the server has to be told before the exchange; none in most cases. Each PREPARE is one of
     * its own, since pg_prepared_statements shows the whole query.
     */
    static List<String> everything(
            Exchange exchange, Settings wanted, Session session, ServerConnection server, PoolMode mode) {
        Settings present = server.settings().get();
        Set<String> names = mode == PoolMode.SESSION ? Set.of() : names(exchange, session, server);
        if (mode != PoolMode.SESSION
                && !exchange.isEnded()) { // more follows before there is a place for queries of ours
            names = and(all(session, server), names);
        }
        boolean placeholders =
                !session.customSettings().isEmpty() && !server.customSettings().containsAll(session.customSettings());
        if (present == wanted && names.isEmpty() && !placeholders) {
            return List.of();
        }
        List<String> sql = new ArrayList<>(SettingsAlignment.between(present, wanted));
        if (sql.isEmpty()) {
            server.settings().set(wanted);
        }
        if (placeholders) {
            addPlaceholders(session, server, sql);
        }
        List<String> prepare = new ArrayList<>(0);
        for (String name : names) {
            align(name, session, server, sql, prepare);
        }
        if (!sql.isEmpty()) {
            prepare.addFirst(String.join(";", sql));
        }
        return prepare;
    }

    /** Why the exchange cannot be sent while the server waits for a Sync; null if it can. */
    static @Nullable ErrorFields outOfPlace(Exchange exchange, Session session, Lease lease, PoolMode mode) {
        if (!lease.isOpen() || mode == PoolMode.SESSION) {
            return null;
        }
        ServerConnection server = lease.leased();
        boolean all = names(exchange, session, server).stream().allMatch(name -> isAligned(name, session, server));
        return all ? null : OUT_OF_PLACE;
    }

    /** A custom parameter that was ever set is '' to its session, not NULL: RESET makes it so (guc.c). */
    private static void addPlaceholders(Session session, ServerConnection server, List<String> sql) {
        for (String name : session.customSettings()) {
            if (!server.customSettings().contains(name)
                    && session.settings().get().get(name) == null) {
                sql.add("RESET " + SettingsAlignment.quoted(name));
            }
        }
    }

    /** The names of statements that the exchange uses and SQL PREPARE or another client may have made. */
    private static Set<String> names(Exchange exchange, Session session, ServerConnection server) {
        boolean possible =
                !session.sqlStatements().isEmpty() || !server.statements().own().isEmpty();
        Set<String> names = Set.of();
        for (int i = 0; i < exchange.size(); i++) {
            QueryFacts facts = exchange.facts(i);
            if (facts == null && possible) {
                String bound = exchange.statementName(i);
                if (bound != null && session.sqlStatements().containsKey(bound)) {
                    names = with(bound, names);
                }
                facts = exchange.bound(i, session);
            }
            if (facts == null) {
                continue;
            }
            if (facts.has(StatementFlags.MENTIONS_PREPARED)) {
                names = and(all(session, server), names);
            }
            for (int n = 0; n < facts.statementCount(); n++) {
                String name = named(facts.statements().get(n).effect());
                if (name != null) {
                    names = with(name, names);
                }
            }
        }
        return names;
    }

    private static Set<String> all(Session session, ServerConnection server) {
        Set<String> all = new HashSet<>(session.sqlStatements().keySet());
        all.addAll(server.statements().own().keySet());
        return all;
    }

    private static Set<String> and(Set<String> names, Set<String> others) {
        names.addAll(others);
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

    /** Whether one name means on the server what it means in the session. */
    private static boolean isAligned(String name, Session session, ServerConnection server) {
        SessionEffect.Prepare wanted = session.sqlStatements().get(name);
        Object present = server.statements().own().get(name);
        if (wanted != null) {
            return wanted.equals(present);
        }
        return session.statements().find(name)
                        != null // one of the protocol is given to the server by VisibleStatements
                || present == null && server.statements().named(name) == null;
    }

    /** Makes one name on the server mean what it means in the session. */
    private static void align(
            String name, Session session, ServerConnection server, List<String> sql, List<String> prepare) {
        if (isAligned(name, session, server)) {
            return;
        }
        Map<String, Object> own = server.statements().own();
        if (own.containsKey(name) || server.statements().named(name) != null) {
            sql.add("DEALLOCATE " + SqlText.quoteIdentifier(name));
            server.statements().forget(name);
        }
        SessionEffect.Prepare wanted = session.sqlStatements().get(name);
        if (wanted != null) {
            prepare.add(wanted.text());
            own.put(name, wanted);
        }
    }
}
