package dev.pgproxy.migrate;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/**
 * Says that definitions change, to every pgproxy that listens to the database, as of the commit of the transaction that says so:
 * a notification that cached results and definitions are to be forgotten.
 */
final class Telling {
    /** A payload has fewer than 8000 bytes. */
    private static final int LONGEST = 1000;

    private static final String MAY =
            "SELECT pg_catalog.has_function_privilege('pg_catalog.pg_notify(text, text)', 'EXECUTE')"
                    + " AND pg_catalog.pg_notification_queue_usage() < 0.5";

    private Telling() {}

    /** Says it; false if it must not be said, since the transaction could fail by that. */
    static boolean tell(Connection connection, String what) throws SQLException {
        try (Statement asks = connection.createStatement();
                ResultSet row = asks.executeQuery(MAY)) {
            if (!row.next() || !row.getBoolean(1)) {
                return false;
            }
        }
        try (PreparedStatement tells =
                connection.prepareStatement("SELECT pg_catalog.pg_notify('pgproxy_invalidate', ?)")) {
            tells.setString(1, "schema:" + (what.length() > LONGEST ? what.substring(0, LONGEST) : what));
            tells.execute();
        }
        return true;
    }
}
