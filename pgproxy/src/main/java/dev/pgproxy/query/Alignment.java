package dev.pgproxy.query;

import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.protocol.sql.SessionEffect;
import dev.pgproxy.protocol.sql.SqlText;
import dev.pgproxy.protocol.sql.StatementFacts;
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
 * The SQL that makes a server what a session believes it has: its parameters, and the statements of SQL PREPARE that the
 * next exchange names. Only the difference is sent. Stateless.
 */
final class Alignment {
    /** Set before all others, since they decide how the others are read. */
    private static final List<String> FIRST = List.of("client_encoding", "standard_conforming_strings");

    private Alignment() {}

    /** Whether the server can be made to look like the session: a custom parameter, once set, cannot be unset. */
    static boolean isPossible(Set<String> customOnServer, Set<String> customOfSession) {
        return customOnServer.isEmpty() || customOfSession.containsAll(customOnServer);
    }

    /** Statements that turn {@code from} into {@code to}, in their order. */
    static List<String> settings(Settings from, Settings to) {
        List<String> sql = new ArrayList<>();
        boolean identity = differs(from, to, Settings.SESSION_AUTHORIZATION) || differs(from, to, Settings.ROLE);
        boolean underRole = from.get(Settings.SESSION_AUTHORIZATION) != null || from.get(Settings.ROLE) != null;
        if (underRole) {
            // a parameter may be one that only the login user may set
            sql.add("RESET SESSION AUTHORIZATION");
            sql.add("RESET ROLE");
        }
        Set<String> names = new HashSet<>();
        for (String name : FIRST) {
            change(from, to, name, names, sql);
        }
        for (String name : from.names()) {
            if (to.get(name) == null) {
                change(from, to, name, names, sql);
            }
        }
        for (String name : to.names()) {
            change(from, to, name, names, sql);
        }
        if (identity || underRole) {
            addIfSet(to.get(Settings.SESSION_AUTHORIZATION), sql);
            addIfSet(to.get(Settings.ROLE), sql);
        }
        return sql;
    }

    private static void change(Settings from, Settings to, String name, Set<String> done, List<String> sql) {
        if (name.equals(Settings.ROLE) || name.equals(Settings.SESSION_AUTHORIZATION) || !done.add(name)) {
            return;
        }
        if (differs(from, to, name)) {
            String text = to.get(name);
            sql.add(text == null ? "RESET " + quoted(name) : text);
        }
    }

    /** A parameter's name for RESET: each part between dots is an identifier. */
    private static String quoted(String name) {
        StringBuilder out = new StringBuilder();
        for (String part : name.split("\\.", -1)) {
            out.append(out.isEmpty() ? "" : ".").append(SqlText.quoteIdentifier(part));
        }
        return out.toString();
    }

    private static void addIfSet(@Nullable String text, List<String> sql) {
        if (text != null) {
            sql.add(text);
        }
    }

    private static boolean differs(Settings from, Settings to, String name) {
        String before = from.get(name);
        String after = to.get(name);
        return before == null ? after != null : !before.equals(after);
    }

    /** Statements that make the server's statements under clients' own names what the exchange expects. */
    static List<String> preparedStatements(Exchange exchange, Session session, ServerConnection server) {
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
        String wanted = session.sqlStatements().get(name);
        Object present = own.get(name);
        if (wanted != null && wanted.equals(present)) {
            return;
        }
        if (present != null) {
            sql.add("DEALLOCATE " + SqlText.quoteIdentifier(name));
            own.remove(name);
        }
        if (wanted != null) {
            sql.add(wanted);
            own.put(name, wanted);
        }
    }
}
