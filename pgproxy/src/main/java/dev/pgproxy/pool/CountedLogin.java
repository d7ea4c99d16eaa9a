package dev.pgproxy.pool;

import dev.pgproxy.health.breaker.Breaker;
import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.backend.SqlState;
import dev.pgproxy.server.LoginListener;
import dev.pgproxy.server.OwnReply;
import dev.pgproxy.server.ServerConnection;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Tells the breaker of a host what became of a login. While the breaker is not closed a login is good once a query was
 * answered, too. Confined to the server's loop.
 *
 * @param timeout for the answer; zero = none
 */
record CountedLogin(Breaker.Attempt attempt, Duration timeout, LoginListener listener) implements LoginListener {
    /**
     * Classes of SQLSTATEs that a host is to blame for: connections, resources, the system around it, itself. Of class 57 there
     * are those of a crash and of a start; an administrator's commands are his.
     */
    private static final Set<String> CLASSES = Set.of("08", "53", "58", "XX");

    private static final Set<String> CODES = Set.of("57P02", "57P03");

    /**
     * Functions of PostgreSQL that compare with CONNECTION LIMIT of a role or a database, with the SQLSTATE of a host that is full
     * (src/backend/utils/init/miscinit.c, postinit.c).
     */
    private static final Set<String> OWN_LIMITS = Set.of("InitializeSessionUserId", "CheckMyDatabase");

    /** Whether it is the host that fails, and not who logs in with what. */
    static boolean isOfHost(ErrorFields error) {
        String code = error.code();
        boolean blamed = CODES.contains(code) || code.length() == 5 && CLASSES.contains(code.substring(0, 2));
        return blamed && !OWN_LIMITS.contains(error.fields().getOrDefault('R', ""));
    }

    @Override
    public void connected(ServerConnection server) {
        if (!attempt.isTest()) {
            attempt.succeeded();
            listener.connected(server);
            return;
        }
        server.ask("SELECT 1", timeout, "it does not answer a query", new OwnReply() {
            @Override
            public void done(@Nullable ErrorFields error, byte status) {
                answered(server, error);
            }
        });
    }

    private void answered(ServerConnection server, @Nullable ErrorFields error) {
        if (error == null && server.isUsable()) {
            attempt.succeeded();
            listener.connected(server);
            return;
        }
        server.close("it does not answer a query");
        failed(
                error != null
                        ? error
                        : ErrorFields.fatal(
                                SqlState.CONNECTION_FAILURE,
                                "server " + server.identity().host() + " closed the connection"));
    }

    @Override
    public void failed(ErrorFields error) {
        if (isOfHost(error)) {
            attempt.failed(told(error));
        } else {
            attempt.ignored();
        }
        listener.failed(error);
    }

    /** For people. */
    static String told(ErrorFields error) {
        return String.join(" ", List.of(error.code(), error.message()));
    }
}
