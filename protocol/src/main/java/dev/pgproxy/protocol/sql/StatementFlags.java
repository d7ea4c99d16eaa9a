package dev.pgproxy.protocol.sql;

import java.util.StringJoiner;

/**
 * What a statement may do or mentions, as bits of an int. A bit that is set may be a false alarm; a bit that is not set
 * is a promise, as far as the text alone can show (a view or an operator can call any function). Immutable.
 */
public final class StatementFlags {
    /** Calls a function that is not on the list of PostgreSQL's own harmless ones; {@link StatementFacts} names it. */
    public static final int UNKNOWN_FUNCTION = 1;

    public static final int NEXTVAL = 1 << 1;
    /** currval or lastval. */
    public static final int CURRVAL = 1 << 2;

    public static final int SETVAL = 1 << 3;
    /** Takes an advisory lock that belongs to the session. */
    public static final int SESSION_LOCK = 1 << 4;

    public static final int SESSION_UNLOCK = 1 << 5;
    /** Creates something in the temporary schema. */
    public static final int CREATES_TEMP = 1 << 6;
    /** DECLARE … WITH HOLD. */
    public static final int HOLD_CURSOR = 1 << 7;
    /** Looks at the session's prepared statements. */
    public static final int MENTIONS_PREPARED = 1 << 8;
    /** Looks at the channels the session listens on. */
    public static final int MENTIONS_CHANNELS = 1 << 9;
    /** Looks at pg_settings. */
    public static final int MENTIONS_SETTINGS = 1 << 10;
    /** NOTIFY or pg_notify. */
    public static final int NOTIFIES = 1 << 11;
    /** PostgreSQL answers 25001 to it inside a transaction block, always or in some forms. */
    public static final int REFUSES_TRANSACTION_BLOCK = 1 << 12;
    /** May drop what pinned the session: DROP, CLOSE, DISCARD, UNLISTEN, advisory unlock. */
    public static final int MAY_RELEASE_STATE = 1 << 13;

    public static final int LARGE_OBJECT = 1 << 14;
    /** A query that contains INSERT, UPDATE, DELETE or MERGE. */
    public static final int DATA_MODIFYING_CTE = 1 << 15;
    /** FOR UPDATE, FOR NO KEY UPDATE, FOR SHARE, FOR KEY SHARE. */
    public static final int ROW_LOCK = 1 << 16;

    public static final int SELECT_INTO = 1 << 17;
    /** Changes the session in a way that cannot be followed by reading the text. */
    public static final int UNPREDICTABLE_STATE = 1 << 18;

    public static final int DDL = 1 << 19;
    public static final int DO_OR_CALL = 1 << 20;
    /** Changes data, definitions or rights. */
    public static final int WRITES = 1 << 21;
    /** The text could not be read to its end: nothing else that is said of it can be relied on. */
    public static final int OPAQUE = 1 << 22;
    /** Names the schema pg_temp; with it in search_path a plain CREATE TABLE makes a temporary table. */
    public static final int MENTIONS_TEMP_SCHEMA = 1 << 23;
    /** CREATE of anything but a relation or index: it may be a function, or call one from now on, as a trigger does. */
    public static final int MAY_DEFINE_CODE = 1 << 24;
    /** EXPLAIN that executes what it explains. */
    public static final int EXPLAINS_BY_EXECUTING = 1 << 25;
    /** COPY from or to a file or program of the server's machine. */
    public static final int SERVER_FILE = 1 << 26;

    private static final String[] NAMES = {
        "UNKNOWN_FUNCTION",
        "NEXTVAL",
        "CURRVAL",
        "SETVAL",
        "SESSION_LOCK",
        "SESSION_UNLOCK",
        "CREATES_TEMP",
        "HOLD_CURSOR",
        "MENTIONS_PREPARED",
        "MENTIONS_CHANNELS",
        "MENTIONS_SETTINGS",
        "NOTIFIES",
        "REFUSES_TRANSACTION_BLOCK",
        "MAY_RELEASE_STATE",
        "LARGE_OBJECT",
        "DATA_MODIFYING_CTE",
        "ROW_LOCK",
        "SELECT_INTO",
        "UNPREDICTABLE_STATE",
        "DDL",
        "DO_OR_CALL",
        "WRITES",
        "OPAQUE",
        "MENTIONS_TEMP_SCHEMA",
        "MAY_DEFINE_CODE",
        "EXPLAINS_BY_EXECUTING",
        "SERVER_FILE"
    };

    private StatementFlags() {}

    /** The names of the bits that are set, separated by {@code |}, for logs and tests. */
    public static String describe(int flags) {
        StringJoiner names = new StringJoiner("|");
        for (int bit = 0; bit < NAMES.length; bit++) {
            if ((flags & (1 << bit)) != 0) {
                names.add(NAMES[bit]);
            }
        }
        return names.toString();
    }
}
