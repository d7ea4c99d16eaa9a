package dev.pgproxy.query;

import dev.pgproxy.pool.Catalog;
import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.sql.SqlText;
import dev.pgproxy.server.OwnReply;
import dev.pgproxy.server.ServerConnection;
import dev.pgproxy.session.PinReason;
import dev.pgproxy.session.Session;
import dev.pgproxy.session.Settings;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Asks a server what a session has left on it that belongs to the session alone: temporary objects, advisory locks, held
 * cursors, channels, changed settings, prepared statements. Made when a transaction ends in which something ran whose
 * effects cannot be read from its text. Confined to the client's loop; used once.
 */
final class StateProbe implements OwnReply {
    private static final String SQL = """
            SELECT EXISTS (SELECT FROM pg_catalog.pg_class WHERE relnamespace = pg_catalog.pg_my_temp_schema())
                   OR EXISTS (SELECT FROM pg_catalog.pg_type WHERE typnamespace = pg_catalog.pg_my_temp_schema())
                   OR EXISTS (SELECT FROM pg_catalog.pg_proc WHERE pronamespace = pg_catalog.pg_my_temp_schema()),
                   EXISTS (SELECT FROM pg_catalog.pg_locks
                           WHERE locktype = 'advisory' AND pid = pg_catalog.pg_backend_pid()),
                   EXISTS (SELECT FROM pg_catalog.pg_cursors WHERE is_holdable),
                   EXISTS (SELECT FROM pg_catalog.pg_listening_channels()),
                   pg_catalog.array_to_string(ARRAY(
                       SELECT pg_catalog.lower(name) FROM pg_catalog.pg_settings WHERE source = 'session'), ','),
                   pg_catalog.array_to_string(ARRAY(
                       SELECT name FROM pg_catalog.pg_prepared_statements WHERE from_sql), ',')""";

    private final Session session;
    private final ServerConnection server;
    private final String suspect;
    private final Runnable then;
    private final Set<PinReason> found = EnumSet.noneOf(PinReason.class);
    private final Catalog catalog;
    private final long change;
    private final Set<String> inFunctions = new HashSet<>(0);
    private boolean byTriggers;
    private boolean learns;

    private StateProbe(Session session, ServerConnection server, Catalog catalog, Runnable then) {
        this.session = session;
        this.server = server;
        this.catalog = catalog;
        this.change = catalog.change();
        this.suspect = session.takeSuspect();
        this.then = then;
    }

    /** Asks, updates the session's pins, and then runs {@code then}. */
    static void ask(Session session, ServerConnection server, Catalog catalog, Runnable then) {
        StateProbe probe = new StateProbe(session, server, catalog, then);
        probe.learns = !catalog.isFresh();
        String parameters = ParameterNames.question(catalog, session.takeMentioned());
        server.ask(parameters.isEmpty() ? SQL : SQL + ";" + parameters, probe);
    }

    @Override
    public void row(List<@Nullable String> values) {
        if (values.size() == 1) {
            byTriggers = "t".equals(values.getFirst());
            return;
        }
        if (values.size() <= 3) {
            String name = Objects.requireNonNull(values.getFirst());
            if (values.size() == 3) {
                inFunctions.add(name);
            }
            parameter(name, values.get(1));
            return;
        }
        note(values, 0, PinReason.TEMPORARY_OBJECT);
        note(values, 1, PinReason.ADVISORY_LOCK);
        note(values, 2, PinReason.HELD_CURSOR);
        note(values, 3, PinReason.LISTENING);
        for (String name : split(values.get(4))) {
            if (server.settings().get().get(name.toLowerCase(Locale.ROOT)) == null) {
                found.add(PinReason.CHANGED_SETTING);
            }
        }
        for (String name : split(values.get(5))) {
            if (server.statements().own(name) == null) {
                found.add(PinReason.PREPARED_BY_FUNCTION);
            }
        }
    }

    /** What a function or procedure may have set it to; null: nobody ever has. */
    private void parameter(String name, @Nullable String value) {
        if (value == null) {
            return;
        }
        boolean custom = Settings.isCustom(name);
        if (custom) {
            session.customSettings().add(name);
            server.customSettings().add(name);
        }
        String sql = server.settings().get().get(name);
        if (sql == null) {
            if (custom ? !value.isEmpty() : name.equals(Settings.ROLE) && !value.equals("none")) {
                found.add(PinReason.CHANGED_SETTING);
            }
        } else if (!sets(sql, value)) {
            String now = SettingsAlignment.setConfig(name, value);
            session.settings().reset(session.settings().get().with(name, now));
            server.settings().reset(server.settings().get().with(name, now));
        }
    }

    /** Whether a SET plainly names this value; false: perhaps. */
    private static boolean sets(String sql, String value) {
        String literal = SqlText.quoteLiteral(value);
        int at = sql.length() - literal.length();
        return at > 0 && sql.endsWith(literal) && sql.charAt(at - 1) != '\'';
    }

    private void note(List<@Nullable String> values, int column, PinReason reason) {
        if ("t".equals(values.get(column))) {
            found.add(reason);
        }
    }

    private static String[] split(@Nullable String list) {
        return list == null || list.isEmpty() ? new String[0] : list.split(",", -1);
    }

    @Override
    public void done(@Nullable ErrorFields error, byte status) {
        if (error != null) {
            found.add(PinReason.PROBE_FAILED);
        } else if (learns) {
            catalog.learnt(inFunctions, byTriggers, change);
        }
        session.probed(found, suspect);
        then.run();
    }
}
