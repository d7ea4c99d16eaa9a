package dev.pgproxy;

import dev.pgproxy.net.Transport;
import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.backend.SqlState;
import dev.pgproxy.server.LoginListener;
import dev.pgproxy.server.OwnReply;
import dev.pgproxy.server.ServerConnection;
import dev.pgproxy.server.ServerConnector;
import dev.pgproxy.server.ServerTarget;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import org.jspecify.annotations.Nullable;

/**
 * What a server said of itself. Immutable.
 *
 * @param position bytes of write-ahead log written (primary) or replayed (replica)
 * @param millis from connecting to the answer
 * @param failure why nothing of it is known; null if it answered
 * @param stranger whether it is there, but no password is known for it
 */
record HostLook(
        boolean replica,
        String version,
        long position,
        long millis,
        @Nullable ErrorFields failure,
        boolean stranger) {
    /** The class of SQLSTATEs with which a server refuses somebody. */
    private static final String AUTHORIZATION = "28";

    private static final String SQL = "SELECT pg_catalog.pg_is_in_recovery(),"
            + " pg_catalog.split_part(pg_catalog.current_setting('server_version'), ' ', 1),"
            + " pg_catalog.pg_wal_lsn_diff(CASE WHEN pg_catalog.pg_is_in_recovery()"
            + " THEN pg_catalog.pg_last_wal_replay_lsn() ELSE pg_catalog.pg_current_wal_lsn() END, '0/0')";

    /** Logs in as pgproxy does, asks, and waits for the answer. */
    static HostLook at(ServerTarget target, Transport transport) throws InterruptedException {
        BlockingQueue<HostLook> answer = new ArrayBlockingQueue<>(1);
        long start = System.nanoTime();
        new ServerConnector(transport).connect(target, transport.loops().getFirst(), new LoginListener() {
            @Override
            public void connected(ServerConnection server) {
                server.ask(SQL, new Question(server, start, answer));
            }

            @Override
            public void failed(ErrorFields error) {
                answer.offer(none(error));
            }
        });
        return answer.take();
    }

    private static HostLook none(ErrorFields error) {
        return new HostLook(false, "", 0, 0, error, false);
    }

    /** The failure as that of somebody without a password: only a server that is not there is at fault. */
    HostLook asStranger() {
        boolean there = failure != null && failure.code().startsWith(AUTHORIZATION);
        return new HostLook(replica, version, position, millis, failure, there);
    }

    private record Question(
            ServerConnection server, long start, BlockingQueue<HostLook> answer, List<List<@Nullable String>> rows)
            implements OwnReply {
        Question(ServerConnection server, long start, BlockingQueue<HostLook> answer) {
            this(server, start, answer, new ArrayList<>());
        }

        @Override
        public void row(List<@Nullable String> values) {
            rows.add(values);
        }

        @Override
        public void done(@Nullable ErrorFields error, byte status) {
            server.close("checked");
            if (error != null || rows.isEmpty()) {
                ErrorFields lost = ErrorFields.error(SqlState.CONNECTION_FAILURE, "the server closed the connection");
                answer.offer(none(error == null ? lost : error));
                return;
            }
            List<@Nullable String> row = rows.get(0);
            String position = row.get(2);
            answer.offer(new HostLook(
                    "t".equals(row.get(0)),
                    String.valueOf(row.get(1)),
                    position == null ? 0 : Long.parseLong(position),
                    (System.nanoTime() - start) / 1_000_000,
                    null,
                    false));
        }
    }
}
