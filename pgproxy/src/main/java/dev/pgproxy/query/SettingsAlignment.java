package dev.pgproxy.query;

import dev.pgproxy.protocol.sql.SessionEffect;
import dev.pgproxy.protocol.sql.SqlText;
import dev.pgproxy.protocol.sql.StatementFacts;
import dev.pgproxy.session.Settings;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The SQL that turns the parameters of a server into those of a session; only the difference. Stateless. */
public final class SettingsAlignment {
    /** Set before all others, since they decide how the others are read. */
    private static final List<String> FIRST = List.of("client_encoding", "standard_conforming_strings");

    private SettingsAlignment() {}

    /** Statements that turn {@code from} into {@code to}, in their order. */
    public static List<String> between(Settings from, Settings to) {
        if (from.equals(to)) {
            return List.of();
        }
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

    /**
     * The settings of a session that the next statement needs, on a server with those that are {@code present}. One that
     * undoes a setting does not need it, and is the way out where it cannot be made any more: a role that was dropped.
     */
    static Settings neededBy(@Nullable StatementFacts next, Settings session, Settings present) {
        SessionEffect effect = next == null ? null : next.effect();
        if (effect == null) {
            return session;
        }
        return switch (effect) {
            case SessionEffect.SetRole set -> set.local() ? session : session.like(present, Settings.ROLE);
            case SessionEffect.ResetRole reset -> session.like(present, Settings.ROLE);
            case SessionEffect.SetSessionAuthorization set -> set.local() ? session : withoutIdentity(session, present);
            case SessionEffect.ResetSessionAuthorization reset -> withoutIdentity(session, present);
            case SessionEffect.ResetParameter reset -> session.like(present, reset.name());
            case SessionEffect.ResetAll reset ->
                present.like(session, Settings.ROLE).like(session, Settings.SESSION_AUTHORIZATION);
            case SessionEffect.DiscardAll discard -> present;
            default -> session;
        };
    }

    private static Settings withoutIdentity(Settings session, Settings present) {
        return session.like(present, Settings.ROLE).like(present, Settings.SESSION_AUTHORIZATION);
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
    static String quoted(String name) {
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

    /** The SQL that sets a parameter to a value as SHOW prints it, lists included. */
    public static String setConfig(String name, String value) {
        return "SELECT pg_catalog.set_config(" + SqlText.quoteLiteral(name) + "," + SqlText.quoteLiteral(value)
                + ",false)";
    }
}
