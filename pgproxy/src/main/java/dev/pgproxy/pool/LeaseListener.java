package dev.pgproxy.pool;

import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.routing.Priority;
import dev.pgproxy.server.ServerConnection;
import dev.pgproxy.session.Settings;
import io.netty.channel.EventLoop;
import java.util.Set;

/** Waits for a server. Implemented by {@code query.QueryFlow} and by whatever else needs a server for a moment. */
public interface LeaseListener {
    /** The loop on which it is told, and which will own the server. */
    EventLoop loop();

    /** What it wants to be set: a server where this is so already is preferred. */
    Settings wantedSettings();

    /** Custom parameters it has ever set: a server may have no others. */
    Set<String> customSettings();

    /** Among whom it waits. On its loop, when it begins to wait. */
    default Priority priority() {
        return Priority.NORMAL;
    }

    /** The server is its own until {@link Pool#release}. On its loop. */
    void granted(ServerConnection server);

    /** It will not get one. On its loop. */
    void refused(ErrorFields error);
}
