package dev.pgproxy.query;

import dev.pgproxy.cancel.CancelForwarder;
import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.server.OwnReply;
import dev.pgproxy.server.ServerConnection;
import dev.pgproxy.server.ServerIdentity;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Cancel requests under way to the server of one client. While there are any, the server is not given back: a signal
 * that comes late would hit the next client. Confined to the client's loop.
 */
final class Cancels {
    private final CancelForwarder forwarder;
    private int inFlight;

    Cancels(CancelForwarder forwarder) {
        this.forwarder = forwarder;
    }

    boolean areInFlight() {
        return inFlight > 0;
    }

    /** Sends one; {@code then} runs when it cannot hit anything any more. */
    void send(ServerConnection server, Duration timeout, Runnable then) {
        inFlight++;
        server.usage().cancelsInFlight(1);
        ServerIdentity target = server.identity();
        forwarder.send(
                target.host(), target.processId(), target.secret(), timeout, server.loop(), () -> sent(server, then));
    }

    /**
     * The host has closed the connection of the request, so the signal is on its way; once the server has answered one
     * more query, it has arrived.
     */
    private void sent(ServerConnection server, Runnable then) {
        if (!server.isUsable()) {
            inFlight--;
            server.usage().cancelsInFlight(-1);
            return;
        }
        server.ask("", new OwnReply() {
            @Override
            public void done(@Nullable ErrorFields error, byte status) {
                inFlight--;
                server.usage().cancelsInFlight(-1);
                then.run();
            }
        });
    }
}
