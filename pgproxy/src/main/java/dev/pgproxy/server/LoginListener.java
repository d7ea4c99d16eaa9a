package dev.pgproxy.server;

import dev.pgproxy.protocol.backend.ErrorFields;

/** Told how a login to a server ended. On the loop of the connection. */
public interface LoginListener {
    /** It can be used. */
    void connected(ServerConnection server);

    /** It failed; the error is the server's own, or ours with the cause. */
    void failed(ErrorFields error);
}
