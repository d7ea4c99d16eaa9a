package dev.pgproxy.console;

import dev.pgproxy.client.ClientConnection;
import dev.pgproxy.client.ClientStage;
import dev.pgproxy.client.QueryPhase;
import dev.pgproxy.query.Active;
import dev.pgproxy.query.QueryFlow;
import dev.pgproxy.server.ServerConnection;
import dev.pgproxy.session.Pin;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What one client does at one moment. Immutable; made on the client's loop.
 *
 * @param waited nanoseconds it has waited for a server; 0 if it does not wait
 * @param server the server it has, null if none
 * @param statements named statements it has prepared
 * @param pins why it keeps its server
 * @param active the statement that runs or waits; null if none does
 * @param activeFor nanoseconds since it was complete
 * @param pendingBytes written to it, not yet taken by the system
 */
record ClientView(
        ClientConnection client,
        ClientStage stage,
        long waited,
        @Nullable ServerConnection server,
        String applicationName,
        int statements,
        List<Pin> pins,
        @Nullable Active active,
        long activeFor,
        long pendingBytes) {

    static ClientView of(ClientConnection client) {
        ClientStage stage = client.stage();
        long pending = pendingBytes(client.channel());
        QueryPhase queries = client.queries();
        if (queries == null) {
            return new ClientView(
                    client,
                    stage,
                    client.loginWait(),
                    client.replicationServer(),
                    client.applicationName(),
                    0,
                    List.of(),
                    null,
                    0,
                    pending);
        }
        QueryFlow flow = queries.flow();
        Active active = flow.times().active(flow.exchange());
        String name = queries.session().reported().get("application_name");
        return new ClientView(
                client,
                stage,
                flow.isWaiting() ? System.nanoTime() - flow.times().waitingSince() : 0,
                flow.server(),
                name == null ? "" : name,
                queries.session().statements().size(),
                List.copyOf(queries.session().pins().values()),
                active,
                active == null ? 0 : System.nanoTime() - active.since(),
                pending);
    }

    static long pendingBytes(io.netty.channel.Channel channel) {
        var buffer = channel.unsafe().outboundBuffer();
        return buffer == null ? 0 : buffer.totalPendingWriteBytes();
    }

    boolean isWaiting() {
        return waited > 0;
    }

    /** The state by PgBouncer's names. */
    String state() {
        return isWaiting() ? "waiting" : "active";
    }
}
