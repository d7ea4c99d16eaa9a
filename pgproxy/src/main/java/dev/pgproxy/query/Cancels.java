package dev.pgproxy.query;

import dev.pgproxy.cancel.CancelForwarder;
import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.server.OwnReply;
import dev.pgproxy.server.ServerConnection;
import dev.pgproxy.server.ServerIdentity;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Cancel requests for the server of one client. A signal that comes late must not hit the next client: the server is
 * given back only when the host has closed the connection of each request, so that the signal is on its way, and one
 * more query has been answered, so that it has arrived. Confined to the client's loop.
 */
final class Cancels {
    private final CancelForwarder forwarder;
    private int underWay;
    private boolean unsettled;

    Cancels(CancelForwarder forwarder) {
        this.forwarder = forwarder;
    }

    /** Whether a signal may still come. */
    boolean mayStrike() {
        return underWay > 0 || unsettled;
    }

    /** Sends one; {@code told} runs when the host has closed its connection. */
    void send(ServerConnection server, Duration timeout, Runnable told) {
        underWay++;
        server.usage().cancelsInFlight(1);
        unsettled = true;
        ServerIdentity target = server.identity();
        Runnable closed = () -> {
            underWay--;
            server.usage().cancelsInFlight(-1);
            told.run();
        };
        forwarder.send(
                target.host(),
                target.processId(),
                target.secret(),
                target.encryption(),
                timeout,
                server.loop(),
                closed);
    }

    /** The server is idle: waits for what is under way, or makes sure that nothing is left; then {@code settled} runs. */
    void settle(ServerConnection server, Runnable settled) {
        if (underWay > 0) {
            return;
        }
        server.ask("", new OwnReply() {
            @Override
            public void done(@Nullable ErrorFields error, byte status) {
                unsettled = underWay > 0;
                settled.run();
            }
        });
    }
}
