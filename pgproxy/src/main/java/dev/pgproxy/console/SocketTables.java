package dev.pgproxy.console;

import dev.pgproxy.client.ClientConnection;
import dev.pgproxy.client.ClientStage;
import dev.pgproxy.client.ConsoleAnswer;
import dev.pgproxy.insight.Printable;
import dev.pgproxy.server.ServerConnection;
import dev.pgproxy.server.ServerIdentity;
import dev.pgproxy.session.Pin;
import io.netty.channel.unix.DomainSocketAddress;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** SHOW CLIENTS, SERVERS, SOCKETS, ACTIVE_SOCKETS, PINS: a row for each connection. Stateless. */
final class SocketTables {
    static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss 'UTC'", Locale.ROOT)
            .withZone(ZoneOffset.UTC);

    private static final String COLUMNS = "type user database replication state addr port:int4 local_addr"
            + " local_port:int4 connect_time request_time wait:int4 wait_us:int4 close_needed:int4 ptr link"
            + " remote_pid:int4 tls application_name prepared_statements:int4 id:int4";

    private static final String BUFFERS = " recv_pos:int4 pkt_pos:int4 pkt_remain:int4 send_pos:int4"
            + " send_remain:int4 pkt_avail:int4 send_avail:int4";

    private SocketTables() {}

    static ConsoleAnswer clients(Snapshot now) {
        Table table = Table.of(COLUMNS);
        for (ClientView view : now.clients()) {
            if (view.stage() != ClientStage.LOGIN) {
                table.row(row(view, view.state()));
            }
        }
        return table.answer();
    }

    static ConsoleAnswer servers(Snapshot now) {
        Table table = Table.of(COLUMNS);
        for (ServerView view : now.servers()) {
            table.row(row(view, now, view.state()));
        }
        return table.answer();
    }

    /** {@code active}: only those that work for somebody just now. */
    static ConsoleAnswer sockets(Snapshot now, boolean active) {
        Table table = Table.of(COLUMNS + BUFFERS);
        for (ClientView view : now.clients()) {
            boolean works = view.server() != null || view.isWaiting() || view.stage() == ClientStage.CONSOLE;
            String state = view.stage() == ClientStage.LOGIN ? "cl_login" : "cl_" + view.state();
            if (works || !active) {
                table.row(withBuffers(row(view, state), view.pendingBytes()));
            }
        }
        for (ServerView view : now.servers()) {
            if (!view.is("idle") || !active) {
                table.row(withBuffers(row(view, now, "sv_" + view.state()), view.pendingBytes()));
            }
        }
        return table.answer();
    }

    /** Of PgBouncer's positions in its fixed buffers only one has a meaning here: what is still to be sent. */
    private static List<@Nullable Object> withBuffers(List<@Nullable Object> row, long pending) {
        List<@Nullable Object> all = new ArrayList<>(row);
        all.addAll(Arrays.asList(0, 0, 0, 0, 0, 0, Math.min(pending, Integer.MAX_VALUE)));
        return all;
    }

    private static List<@Nullable Object> row(ClientView view, String state) {
        ClientConnection client = view.client();
        ServerConnection server = view.server();
        InetAddress address = client.address();
        long waited = TimeUnit.NANOSECONDS.toMicros(view.waited());
        return Arrays.asList(
                "C",
                client.user(),
                client.database(),
                view.stage().replication(),
                state,
                address == null ? "unix" : address.getHostAddress(),
                client.port(),
                host(client.channel().localAddress()),
                port(client.channel().localAddress()),
                TIME.format(client.connectedAt()),
                TIME.format(at(client.lastActive())),
                waited / 1_000_000,
                waited % 1_000_000,
                0,
                "C-" + client.id(),
                server == null ? "" : "S-" + server.identity().id(),
                0,
                client.tls(),
                view.applicationName(),
                view.statements(),
                client.id());
    }

    private static List<@Nullable Object> row(ServerView view, Snapshot now, String state) {
        ServerConnection server = view.server();
        ServerIdentity identity = server.identity();
        ClientView client = now.clientOf(server);
        return Arrays.asList(
                "S",
                identity.user(),
                view.pool().key().database(),
                client == null ? "none" : client.stage().replication(),
                state,
                identity.host().isUnixSocket() ? "unix" : host(server.channel().remoteAddress()),
                identity.host().port(),
                host(server.channel().localAddress()),
                port(server.channel().localAddress()),
                TIME.format(server.usage().connectedAt()),
                TIME.format(at(server.usage().lastUsedNanos())),
                0,
                0,
                view.pool().isCurrent(server) ? 0 : 1,
                "S-" + identity.id(),
                client == null ? "" : "C-" + client.client().id(),
                identity.processId(),
                identity.tls(),
                client == null ? "" : client.applicationName(),
                view.statements(),
                identity.id());
    }

    static ConsoleAnswer pins(Snapshot now) {
        Table table = Table.of("client_id:int8 database user application_name reason statement since server_pid:int4");
        for (ClientView view : now.clients()) {
            ServerConnection server = view.server();
            for (Pin pin : view.pins()) {
                table.row(
                        view.client().id(),
                        view.client().database(),
                        view.client().user(),
                        view.applicationName(),
                        pin.reason(),
                        Printable.of(pin.statement()),
                        TIME.format(pin.since()),
                        server == null ? null : server.identity().processId());
            }
        }
        return table.answer();
    }

    private static Instant at(long nanoTime) {
        return Instant.now().minusNanos(System.nanoTime() - nanoTime);
    }

    private static String host(@Nullable SocketAddress address) {
        if (address instanceof InetSocketAddress inet) {
            return inet.getAddress() == null
                    ? inet.getHostString()
                    : inet.getAddress().getHostAddress();
        }
        return address instanceof DomainSocketAddress ? "unix" : "";
    }

    private static int port(@Nullable SocketAddress address) {
        return address instanceof InetSocketAddress inet ? inet.getPort() : 0;
    }
}
