package dev.pgproxy.server;

import dev.pgproxy.protocol.backend.ErrorFields;
import org.jspecify.annotations.Nullable;

/** Told about what happens to a server connection beyond its replies. Implemented by its pool. */
public interface ServerListener {
    /** The connection is gone. On the owning loop. */
    void closed(ServerConnection server, @Nullable ErrorFields lastError);

    /** The connection was lent to another loop and is home again. On its home loop. */
    void cameHome(ServerConnection server);
}
