package dev.pgproxy.query;

import dev.pgproxy.listen.Notification;
import dev.pgproxy.listen.Wanted;
import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.sql.SqlText;
import dev.pgproxy.server.OwnReply;
import dev.pgproxy.server.ServerConnection;
import dev.pgproxy.session.PinReason;
import dev.pgproxy.session.Session;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;

/**
 * Moves a session's channels from the shared listener to its leased server, because a statement is about to look at
 * {@code pg_listening_channels()}; the session keeps the server from then on. Nothing is lost or heard twice: for a
 * moment both listen, to the shared listener's points too. Up to the point at which the shared listener stops its
 * notifications count, behind it the server's. Confined to the client's loop; used once.
 */
final class ChannelMove {
    private final Notifications notifications;
    private final String pointChannel;
    private final Session session;
    private final ServerConnection server;
    private final Runnable then;
    private final List<Notification> heard = new ArrayList<>();

    ChannelMove(
            Notifications notifications, String pointChannel, Session session, ServerConnection server, Runnable then) {
        this.notifications = notifications;
        this.pointChannel = pointChannel;
        this.session = session;
        this.server = server;
        this.then = then;
    }

    void begin() {
        StringJoiner sql = new StringJoiner(";");
        for (String channel : session.channels().committed()) {
            sql.add("LISTEN " + SqlText.quoteIdentifier(channel));
        }
        sql.add("LISTEN " + SqlText.quoteIdentifier(pointChannel));
        ask(sql.toString(), () -> notifications.ask(Wanted.NOTHING, this::stopped));
    }

    private void stopped() {
        ask("UNLISTEN " + SqlText.quoteIdentifier(pointChannel), this::finish);
    }

    private void finish() {
        notifications.write(true);
        String point = Long.toString(notifications.point());
        int from = 0;
        for (int i = 0; i < heard.size(); i++) {
            if (isPoint(heard.get(i)) && heard.get(i).text().equals(point)) {
                from = i + 1;
            }
        }
        session.channels().reset(Set.of());
        session.pin(PinReason.LISTENING, "pg_listening_channels()");
        notifications.moved();
        for (Notification notification : heard.subList(from, heard.size())) {
            if (!isPoint(notification)) {
                notifications.write(notification);
            }
        }
        then.run();
    }

    /** The server has said this meanwhile. */
    void heard(Notification notification) {
        heard.add(notification);
    }

    private boolean isPoint(Notification notification) {
        return notification.channel().equals(pointChannel);
    }

    private void ask(String sql, Runnable next) {
        server.ask(sql, new OwnReply() {
            @Override
            public void done(@Nullable ErrorFields error, byte status) {
                if (error == null) {
                    next.run();
                } else {
                    notifications.end(error.asFatal());
                }
            }
        });
    }
}
