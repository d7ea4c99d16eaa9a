package dev.pgproxy.pool;

import dev.pgproxy.config.HostAddress;
import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.backend.SqlState;
import dev.pgproxy.route.Primaries;
import dev.pgproxy.server.LoginListener;
import dev.pgproxy.server.OwnReply;
import dev.pgproxy.server.ServerConnection;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks a new server whether it is the primary that it is taken for: not in recovery, and on the timeline that was seen last.
 * One that was demoted, or comes back after another was promoted, gets no statement. Confined to the server's loop.
 */
final class PrimaryCheck implements LoginListener {
    private static final Logger LOG = LoggerFactory.getLogger(PrimaryCheck.class);

    /** The first 8 digits of a file's name are its timeline (src/include/access/xlog_internal.h, XLogFileName). */
    private static final String QUESTION = """
            SELECT CASE WHEN pg_is_in_recovery() THEN '' ELSE substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8) END
            """;

    private final Primaries primaries;
    private final HostAddress configured;
    private final Duration timeout;
    private final LoginListener listener;

    /** @param timeout for the answer; zero = none */
    PrimaryCheck(Primaries primaries, HostAddress configured, Duration timeout, LoginListener listener) {
        this.primaries = primaries;
        this.configured = configured;
        this.timeout = timeout;
        this.listener = listener;
    }

    @Override
    public void connected(ServerConnection server) {
        if (primaries.of(configured) == null) {
            listener.connected(server);
            return;
        }
        server.ask(QUESTION, timeout, "it does not say whether it is a primary", new OwnReply() {
            private String timeline = "";

            @Override
            public void row(List<@Nullable String> values) {
                timeline = String.valueOf(values.getFirst());
            }

            @Override
            public void done(@Nullable ErrorFields error, byte status) {
                answered(server, timeline, error);
            }
        });
    }

    private void answered(ServerConnection server, String timeline, @Nullable ErrorFields error) {
        if (!server.isUsable()) {
            failed(error == null ? lost(server) : error);
            return;
        }
        Primaries.Place place = primaries.of(configured); // as it is by now
        if (error != null) {
            LOG.warn("{} does not say whether it is a primary: {} {}", server, error.code(), error.message());
        } else if (place != null
                && (timeline.isEmpty()
                        || Integer.parseUnsignedInt(timeline, 16)
                                != place.timeline().number()
                        || !server.identity().host().equals(place.address()))) {
            server.close("it is not the primary");
            primaries.doubt(configured);
            listener.failed(ErrorFields.fatal(
                    SqlState.CANNOT_CONNECT_NOW,
                    "server " + server.identity().host() + " is not the primary, or not on its timeline",
                    "Another host may have been promoted: see SHOW REPLICAS."));
            return;
        }
        listener.connected(server);
    }

    private static ErrorFields lost(ServerConnection server) {
        return ErrorFields.fatal(
                SqlState.CONNECTION_FAILURE, "server " + server.identity().host() + " closed the connection");
    }

    @Override
    public void failed(ErrorFields error) {
        if (error.code().startsWith("08") && primaries.of(configured) != null) {
            primaries.doubt(configured);
        }
        listener.failed(error);
    }
}
