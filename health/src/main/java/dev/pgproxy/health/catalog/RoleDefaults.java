package dev.pgproxy.health.catalog;

import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What parameters are at login, by user: what the server's configuration says, and ALTER ROLE and ALTER DATABASE. Only
 * those that routing asks for. Immutable.
 *
 * @param everybody for users of whom nothing else is said
 * @param byUser for users of whom something is said, complete
 */
public record RoleDefaults(Map<String, String> everybody, Map<String, Map<String, String>> byUser) {
    private static final List<String> PARAMETERS = List.of(
            "search_path",
            "default_transaction_isolation",
            "default_transaction_read_only",
            "idle_in_transaction_session_timeout",
            "transaction_timeout",
            "pgproxy.route");

    /** From the most general to the most particular (src/backend/utils/init/postinit.c, process_settings). */
    private static final String SET = "SELECT coalesce(r.rolname, ''), s.setconfig FROM pg_catalog.pg_db_role_setting s"
            + " LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.setrole"
            + " WHERE s.setdatabase = 0 OR s.setdatabase = (SELECT oid FROM pg_catalog.pg_database"
            + " WHERE datname = pg_catalog.current_database())"
            + " ORDER BY s.setrole <> 0, s.setdatabase <> 0";

    private static final String SERVERS =
            "SELECT name, reset_val, source FROM pg_catalog.pg_settings WHERE name = ANY (?)";

    public RoleDefaults {
        everybody = Map.copyOf(everybody);
        byUser = Map.copyOf(byUser);
    }

    /** The value of a parameter; null if it is not known. */
    public @Nullable String get(String user, String parameter) {
        return byUser.getOrDefault(user, everybody).get(parameter);
    }

    /**
     * Reads them. A value that is set for the very user that reads hides the server's own, which is then not known.
     */
    public static RoleDefaults load(Connection connection) throws SQLException {
        Map<String, String> everybody = new HashMap<>();
        try (PreparedStatement ask = connection.prepareStatement(SERVERS)) {
            ask.setArray(1, connection.createArrayOf("text", PARAMETERS.toArray()));
            try (ResultSet rows = ask.executeQuery()) {
                while (rows.next()) {
                    String source = rows.getString(3);
                    boolean own = source.equals("user") || source.equals("database user");
                    if (!own && !source.equals("client") && !source.equals("session")) {
                        everybody.put(rows.getString(1), rows.getString(2));
                    }
                }
            }
        }
        Map<String, Map<String, String>> byUser = new HashMap<>();
        try (PreparedStatement ask = connection.prepareStatement(SET);
                ResultSet rows = ask.executeQuery()) {
            while (rows.next()) {
                String user = rows.getString(1);
                Map<String, String> of =
                        user.isEmpty() ? everybody : byUser.computeIfAbsent(user, name -> new HashMap<>(everybody));
                add(rows.getArray(2), of);
            }
        }
        return new RoleDefaults(everybody, byUser);
    }

    private static void add(Array settings, Map<String, String> of) throws SQLException {
        for (String setting : (String[]) settings.getArray()) {
            int equals = setting.indexOf('=');
            String name = setting.substring(0, Math.max(equals, 0)).toLowerCase(Locale.ROOT);
            if (PARAMETERS.contains(name)) {
                of.put(name, setting.substring(equals + 1));
            }
        }
    }
}
