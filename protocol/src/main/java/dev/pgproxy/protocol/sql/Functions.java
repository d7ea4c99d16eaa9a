package dev.pgproxy.protocol.sql;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.List;
import java.util.Map;

/**
 * What calling a function by name means: the flags of PostgreSQL's own functions that touch the session, 0 for its
 * harmless ones, {@link Words#ABSENT} for all others. The harmless ones are in the resource functions.txt. Immutable.
 */
final class Functions {
    /** Marks set_config, whose arguments decide what it does; never leaves this package. */
    static final int SET_CONFIG = 1 << 30;

    private static final Map<Integer, List<String>> SPECIAL = Map.of(
            StatementFlags.NEXTVAL,
            List.of("nextval"),
            StatementFlags.CURRVAL,
            List.of("currval", "lastval"),
            StatementFlags.SETVAL,
            List.of("setval"),
            StatementFlags.NOTIFIES,
            List.of("pg_notify"),
            StatementFlags.MENTIONS_PREPARED,
            List.of("pg_prepared_statement"),
            StatementFlags.MENTIONS_CHANNELS,
            List.of("pg_listening_channels"),
            StatementFlags.MENTIONS_SETTINGS,
            List.of("pg_show_all_settings"),
            SET_CONFIG,
            List.of("set_config"),
            StatementFlags.SESSION_LOCK,
            List.of(
                    "pg_advisory_lock",
                    "pg_advisory_lock_shared",
                    "pg_try_advisory_lock",
                    "pg_try_advisory_lock_shared"),
            StatementFlags.SESSION_UNLOCK | StatementFlags.MAY_RELEASE_STATE,
            List.of("pg_advisory_unlock", "pg_advisory_unlock_shared", "pg_advisory_unlock_all"));

    private static final List<String> LARGE_OBJECT = List.of(
            "lo_close",
            "lo_creat",
            "lo_create",
            "lo_export",
            "lo_from_bytea",
            "lo_get",
            "lo_import",
            "lo_lseek",
            "lo_lseek64",
            "lo_open",
            "lo_put",
            "lo_tell",
            "lo_tell64",
            "lo_truncate",
            "lo_truncate64",
            "lo_unlink",
            "loread",
            "lowrite");

    /** State that lives in the backend and that no probe finds; slots and backups may belong to the session. */
    private static final List<String> UNPREDICTABLE = List.of(
            "setseed",
            "pg_backup_start",
            "pg_backup_stop",
            "pg_start_backup",
            "pg_stop_backup",
            "pg_copy_logical_replication_slot",
            "pg_copy_physical_replication_slot",
            "pg_create_logical_replication_slot",
            "pg_create_physical_replication_slot",
            "pg_replication_origin_session_setup",
            "pg_replication_origin_session_reset",
            "pg_replication_origin_xact_setup",
            "pg_replication_origin_xact_reset");

    /** Functions of extensions that are known to keep state in the backend, in whatever schema they are. */
    private static final List<String> EXTENSIONS = List.of(
            "dblink_connect",
            "dblink_connect_u",
            "dblink_disconnect",
            "dblink_open",
            "dblink_send_query",
            "set_limit",
            "hypopg_create_index",
            "hypopg_drop_index",
            "hypopg_reset",
            "hypopg_hide_index",
            "hypopg_unhide_index");

    private static final Words TABLE = table();

    private Functions() {}

    private static Words table() {
        List<String> harmless = Words.lines("functions.txt");
        Words table = new Words(harmless.size() + 64);
        harmless.forEach(name -> table.put(name, 0));
        SPECIAL.forEach((flags, names) -> names.forEach(name -> table.put(name, flags)));
        LARGE_OBJECT.forEach(name -> table.put(name, StatementFlags.LARGE_OBJECT));
        UNPREDICTABLE.forEach(name -> table.put(name, StatementFlags.UNPREDICTABLE_STATE));
        EXTENSIONS.forEach(
                name -> table.put(name, StatementFlags.UNKNOWN_FUNCTION | StatementFlags.UNPREDICTABLE_STATE));
        return table;
    }

    /** Flags of the function with this name in pg_catalog, or {@link Words#ABSENT}. */
    static int flags(long hash, byte[] text, int from, int to, boolean fold) {
        return TABLE.get(hash, text, from, to, fold);
    }

    /** Flags of the function with this decoded name in pg_catalog, or {@link Words#ABSENT}. */
    static int flags(String name) {
        byte[] bytes = name.getBytes(UTF_8);
        return TABLE.get(WordHash.of(bytes, 0, bytes.length, false), bytes, 0, bytes.length, false);
    }

    /** Flags of a function in a schema of the user: unknown, whatever else its name says. */
    static int flagsElsewhere(int flagsByName) {
        boolean extension = flagsByName != Words.ABSENT && (flagsByName & StatementFlags.UNKNOWN_FUNCTION) != 0;
        return extension ? flagsByName : StatementFlags.UNKNOWN_FUNCTION;
    }
}
