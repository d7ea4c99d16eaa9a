package dev.pgproxy.console;

import dev.pgproxy.pool.Pool;
import dev.pgproxy.server.ServerConnection;
import dev.pgproxy.server.ServerState;

/**
 * What one server does at one moment. Immutable; made on the loop that owns it.
 *
 * @param state as PgBouncer names it
 * @param statements prepared on it
 * @param cancels cancel requests on their way to it
 * @param pendingBytes written to it, not yet taken by the system
 */
record ServerView(ServerConnection server, Pool pool, String state, int statements, int cancels, long pendingBytes) {

    static ServerView of(ServerConnection server, Pool pool) {
        int cancels = server.usage().cancelsInFlight();
        boolean kept = cancels > 0 && server.state() == ServerState.ACTIVE && server.isQuiet();
        return new ServerView(
                server,
                pool,
                kept ? "being_canceled" : server.state().toString(),
                server.statements().size(),
                cancels,
                ClientView.pendingBytes(server.channel()));
    }

    boolean is(String wanted) {
        return state.equals(wanted);
    }
}
