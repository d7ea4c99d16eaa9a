package dev.pgproxy.cache.feed;

import java.io.IOException;
import java.net.SocketTimeoutException;
import java.sql.SQLException;

/**
 * Why there is no coverage. Immutable.
 *
 * @param why a sentence for people, without anything that differs from one attempt to the next
 * @param hint what to do about it; may be empty
 * @param refused whether somebody has to do it first
 */
record FeedLoss(String why, String hint, boolean refused) {
    /** What was being done when it failed. */
    enum Step {
        CONNECT,
        SLOT,
        STREAM
    }

    static final FeedLoss SILENCE = transitory("The server has fallen silent.", "See its load and the network.");

    /** It was promoted from and is one again, or its address leads elsewhere. */
    static final FeedLoss STANDBY = refusal(
            "The server is a standby, which is not where writes commit.",
            "Connect the feed to the primary; on a failover pgproxy does so itself.");

    static final FeedLoss DEAF = transitory(
            "A notification to ourselves did not come back.",
            "The address must lead to the server itself, not to a pooler, which forgets LISTEN.");

    static FeedLoss transitory(String why, String hint) {
        return new FeedLoss(why, hint, false);
    }

    static FeedLoss refusal(String why, String hint) {
        return new FeedLoss(why, hint, true);
    }

    /** No ordinary connection, or one that broke. */
    static FeedLoss ofControl(SQLException e) {
        return switch (state(e)) {
            case "28000", "28P01", "3D000", "42501" -> refusedLogin(e);
            default -> transitory("The database cannot be asked: " + said(e), "");
        };
    }

    /** The listening connection failed, or did not come about. */
    static FeedLoss ofListener(SQLException e) {
        if (e.getCause() instanceof SocketTimeoutException) {
            return SILENCE;
        }
        if (e.getCause() instanceof IOException) {
            return transitory("There is no connection to listen on.", "");
        }
        return switch (state(e)) {
            case "28000", "28P01", "3D000", "42501" -> refusedLogin(e);
            default -> transitory("The listening connection ended: " + said(e), "");
        };
    }

    private static FeedLoss refusedLogin(SQLException e) {
        return switch (state(e)) {
            case "28000" ->
                refusal(
                        "The server does not let the control user in: " + said(e),
                        "pg_hba.conf needs a line for this database, the control user and this address; one for"
                                + " \"replication\" is neither needed nor enough.");
            case "28P01" ->
                refusal("The server refuses the password of the control user.", "Correct control_password.");
            default ->
                refusal(
                        "The control user may not use this database: " + said(e),
                        "Grant the control user CONNECT on this database.");
        };
    }

    /** The replication connection, its slot or its stream failed. */
    static FeedLoss of(Step step, SQLException e, FeedFacts facts) {
        return switch (step) {
            case CONNECT -> ofConnect(e, facts);
            case SLOT -> ofSlot(e, facts);
            case STREAM ->
                e.getCause() instanceof SocketTimeoutException
                        ? SILENCE
                        : e.getCause() instanceof IOException
                                ? transitory("The connection of the stream was lost.", "")
                                : transitory("The stream of changes broke: " + said(e), "");
        };
    }

    private static FeedLoss ofConnect(SQLException e, FeedFacts facts) {
        return switch (state(e)) {
            case "42501" ->
                facts.mayReplicate()
                        ? refusal("Replication is not permitted: " + said(e), "Grant the control user what is missing.")
                        : noReplication(facts);
            case "53300" ->
                facts.walSenders() >= facts.maxWalSenders()
                        ? refusal(
                                "All " + facts.maxWalSenders() + " connections that max_wal_senders allows are in use.",
                                "Raise max_wal_senders and restart the server, or end a replication connection; see"
                                        + " pg_stat_replication.")
                        : refusal("The server has no connection left: " + said(e), "Raise max_connections.");
            case "28000", "28P01", "3D000" -> refusedLogin(e);
            default -> transitory("A replication connection cannot be opened: " + said(e), "");
        };
    }

    private static FeedLoss noReplication(FeedFacts facts) {
        return refusal(
                "The control user \"" + facts.user() + "\" has no REPLICATION attribute.",
                "ALTER ROLE \"" + facts.user().replace("\"", "\"\"") + "\" REPLICATION; on Amazon RDS: GRANT"
                        + " rds_replication.");
    }

    private static FeedLoss ofSlot(SQLException e, FeedFacts facts) {
        return switch (state(e)) {
            case "42501" -> noReplication(facts);
            case "53400" ->
                refusal(
                        "All " + facts.maxSlots() + " replication slots that max_replication_slots allows are in use.",
                        "Raise max_replication_slots and restart the server, or drop a slot that nobody uses; see"
                                + " pg_replication_slots.");
            case "55000" ->
                facts.hasLogicalWal()
                        ? refusal("The server makes no logical slot: " + said(e), "")
                        : facts.walLevelTooLow();
            case "58P01", "42704", "42883" ->
                refusal(
                        "The plugin test_decoding is not installed on the server.",
                        "Install the package of PostgreSQL's additional modules there (postgresql-contrib).");
            default -> transitory("The slot cannot be made: " + said(e), "");
        };
    }

    private static String state(SQLException e) {
        return e.getSQLState() == null ? "" : e.getSQLState();
    }

    private static String said(SQLException e) {
        String message = e.getMessage() == null
                ? e.getClass().getSimpleName()
                : e.getMessage().strip();
        return message.endsWith(".") ? message : message + ".";
    }
}
