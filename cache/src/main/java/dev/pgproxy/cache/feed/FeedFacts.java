package dev.pgproxy.cache.feed;

import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import java.util.Optional;

/**
 * What a server says about itself before a feed begins. Immutable.
 *
 * @param version server_version_num
 * @param encoding of the database
 * @param incarnation as {@link #INCARNATION} asks for it
 * @param mayReplicate whether the user is a superuser or has REPLICATION; there are clouds that permit it otherwise
 */
record FeedFacts(
        int version,
        String walLevel,
        boolean inRecovery,
        String synchronousStandbys,
        String encoding,
        String user,
        boolean mayReplicate,
        int maxSlots,
        int maxWalSenders,
        int walSenders,
        String incarnation) {
    /** Tells a server from every other, and from itself before it was restarted. */
    static final String INCARNATION = "SELECT extract(epoch FROM pg_postmaster_start_time())::text";

    private static final String QUERY = """
            SELECT current_setting('server_version_num')::int, current_setting('wal_level'), pg_is_in_recovery(),
                current_setting('synchronous_standby_names'), getdatabaseencoding(), current_user,
                (SELECT rolsuper OR rolreplication FROM pg_roles WHERE rolname = current_user),
                current_setting('max_replication_slots')::int, current_setting('max_wal_senders')::int,
                (SELECT count(*) FROM pg_stat_replication),
                extract(epoch FROM pg_postmaster_start_time())::text
            """;

    /** Java's names for what a database may be encoded in (manual, Character Set Support). */
    private static final Map<String, String> CHARSETS = Map.ofEntries(
            Map.entry("UTF8", "UTF-8"),
            // as pgjdbc reads its catalogs
            Map.entry("SQL_ASCII", "UTF-8"),
            Map.entry("LATIN1", "ISO-8859-1"),
            Map.entry("LATIN2", "ISO-8859-2"),
            Map.entry("LATIN3", "ISO-8859-3"),
            Map.entry("LATIN4", "ISO-8859-4"),
            Map.entry("LATIN5", "ISO-8859-9"),
            Map.entry("LATIN7", "ISO-8859-13"),
            Map.entry("LATIN9", "ISO-8859-15"),
            Map.entry("LATIN10", "ISO-8859-16"),
            Map.entry("ISO_8859_5", "ISO-8859-5"),
            Map.entry("ISO_8859_6", "ISO-8859-6"),
            Map.entry("ISO_8859_7", "ISO-8859-7"),
            Map.entry("ISO_8859_8", "ISO-8859-8"),
            Map.entry("WIN866", "IBM866"),
            Map.entry("WIN874", "x-windows-874"),
            Map.entry("WIN1250", "windows-1250"),
            Map.entry("WIN1251", "windows-1251"),
            Map.entry("WIN1252", "windows-1252"),
            Map.entry("WIN1253", "windows-1253"),
            Map.entry("WIN1254", "windows-1254"),
            Map.entry("WIN1255", "windows-1255"),
            Map.entry("WIN1256", "windows-1256"),
            Map.entry("WIN1257", "windows-1257"),
            Map.entry("WIN1258", "windows-1258"),
            Map.entry("KOI8R", "KOI8-R"),
            Map.entry("KOI8U", "KOI8-U"),
            Map.entry("EUC_CN", "GB2312"),
            Map.entry("EUC_JP", "EUC-JP"),
            Map.entry("EUC_KR", "EUC-KR"),
            Map.entry("EUC_TW", "x-EUC-TW"));

    /** From here on the server raises wal_level by itself when the first logical slot is made. */
    private static final int RAISES_WAL_LEVEL = 190000;

    static FeedFacts ask(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(QUERY)) {
            row.next();
            return new FeedFacts(
                    row.getInt(1),
                    row.getString(2),
                    row.getBoolean(3),
                    row.getString(4),
                    row.getString(5),
                    row.getString(6),
                    row.getBoolean(7),
                    row.getInt(8),
                    row.getInt(9),
                    row.getInt(10),
                    row.getString(11));
        }
    }

    /** What is sure to fail, or would do harm, is not tried. */
    Optional<FeedLoss> refusal() {
        if (inRecovery) {
            return Optional.of(FeedLoss.STANDBY);
        }
        if (!hasLogicalWal() && version < RAISES_WAL_LEVEL) {
            return Optional.of(walLevelTooLow());
        }
        return refusalOf(synchronousStandbys);
    }

    /** With {@code *} every commit would wait for the feed, and trust that it keeps what it has merely read. */
    static Optional<FeedLoss> refusalOf(String synchronousStandbys) {
        return synchronousStandbys.contains("*")
                ? Optional.of(FeedLoss.refusal(
                        "synchronous_standby_names contains *, so the feed would count as a synchronous standby.",
                        "Name the standbys in synchronous_standby_names instead."))
                : Optional.empty();
    }

    boolean hasLogicalWal() {
        return walLevel.equals("logical");
    }

    FeedLoss walLevelTooLow() {
        return FeedLoss.refusal(
                "wal_level is " + walLevel + ", and only logical tells changes.",
                "ALTER SYSTEM SET wal_level = logical, and restart the server.");
    }

    /**
     * That of the names in the stream, which are not converted to client_encoding. With an encoding that Java does not know
     * names beyond ASCII count as everything.
     */
    Charset charset() {
        String name = CHARSETS.getOrDefault(encoding, "US-ASCII");
        return Charset.isSupported(name) ? Charset.forName(name) : StandardCharsets.US_ASCII;
    }
}
