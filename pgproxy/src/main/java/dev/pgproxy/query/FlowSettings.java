package dev.pgproxy.query;

import dev.pgproxy.config.PoolMode;
import dev.pgproxy.config.PoolSettings;
import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.backend.SqlState;
import dev.pgproxy.session.Session;
import dev.pgproxy.session.Settings;
import dev.pgproxy.session.SharedStatements;
import java.time.Duration;

/**
 * What the configuration says about the path of one client. Immutable.
 *
 * @param maxPreparedStatements per server
 * @param conflictRetries how often a statement that lost against another transaction is run again
 * @param cleanupTimeout how long a server may take to end what a vanished client has begun
 */
public record FlowSettings(PoolMode mode, int maxPreparedStatements, int conflictRetries, Duration cleanupTimeout) {
    /** What a client in statement mode gets for BEGIN. */
    static final ErrorFields NO_TRANSACTION_BLOCKS = ErrorFields.fatal(
            SqlState.FEATURE_NOT_SUPPORTED,
            "transaction blocks not allowed in statement pooling mode",
            "Use pool_mode = transaction for this database or user.");

    private static final String UNKNOWN = "";

    /** Those of the configuration, in a mode. */
    public static FlowSettings of(PoolMode mode, PoolSettings pool, Duration cleanupTimeout) {
        return new FlowSettings(mode, pool.maxPreparedStatements(), pool.conflictRetries(), cleanupTimeout);
    }

    /** Whether the exchange begins a transaction block where there are none. */
    boolean refuses(Exchange exchange) {
        return mode == PoolMode.STATEMENT && exchange.begins();
    }

    SharedStatements.Scope scope(Session session, long catalogVersion) {
        Settings now = session.settings().get();
        String encoding = session.reported().get("client_encoding");
        String conforming = session.reported().get("standard_conforming_strings");
        return new SharedStatements.Scope(
                encoding == null ? UNKNOWN : encoding,
                conforming == null ? UNKNOWN : conforming,
                text(now, "search_path"),
                text(now, Settings.SESSION_AUTHORIZATION) + text(now, Settings.ROLE),
                catalogVersion);
    }

    private static String text(Settings settings, String name) {
        String sql = settings.get(name);
        return sql == null ? UNKNOWN : sql;
    }
}
