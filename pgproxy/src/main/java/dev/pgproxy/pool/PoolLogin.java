package dev.pgproxy.pool;

import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.server.LoginListener;
import dev.pgproxy.server.ServerConnection;

/**
 * Tells a pool how one of its logins ended. Immutable.
 *
 * @param move of the pool's host that is tried
 */
record PoolLogin(Pool pool, int move) implements LoginListener {
    @Override
    public void connected(ServerConnection server) {
        pool.loggedIn(server, move);
    }

    @Override
    public void failed(ErrorFields error) {
        pool.loginFailed(error, move);
    }
}
