package dev.pgproxy.listen;

import dev.pgproxy.config.HostAddress;
import dev.pgproxy.pool.Pool;
import dev.pgproxy.pool.Pools;
import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.backend.SqlState;
import dev.pgproxy.protocol.sql.SqlText;
import dev.pgproxy.server.LoginListener;
import dev.pgproxy.server.OwnReply;
import dev.pgproxy.server.ServerConnection;
import dev.pgproxy.server.ServerListener;
import dev.pgproxy.server.ServerTarget;
import io.netty.channel.EventLoop;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.StringJoiner;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The connection that listens for all sessions of one database. PostgreSQL delivers notifications in the order of their
 * commits, the same to everybody; so a notification of its own on a channel that only it uses, a point, divides them: what
 * was committed before the point was sent has been delivered when the point arrives. Every change of a subscription takes
 * effect at a point and is confirmed behind it. Changes that come while a point is under way share the next one.
 *
 * <p>The connection is opened for the first subscriber and closed after the last. If it is lost, all subscribers are told
 * so: what they have missed nobody knows. Public methods are thread-safe, the rest is confined to {@code loop}. Source:
 * src/backend/commands/async.c; manual, NOTIFY.
 */
public final class SharedListener implements ServerListener, LoginListener {
    private static final Logger LOG = LoggerFactory.getLogger(SharedListener.class);

    /** A connection that does not answer for so long is given up. */
    private static final Duration ANSWER = Duration.ofSeconds(30);

    /** It idles for ever, and nothing is lost by a point that a crash takes back. */
    private static final String SETUP = "SELECT pg_catalog.set_config(name, setting, false) FROM (VALUES"
            + " ('idle_session_timeout', '0'), ('statement_timeout', '0'), ('lock_timeout', '0'),"
            + " ('transaction_timeout', '0'), ('synchronous_commit', 'off'),"
            + " ('client_encoding', CASE pg_catalog.current_setting('server_encoding')"
            + " WHEN 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END),"
            + " ('application_name', 'pgproxy listener')) AS wanted (name, setting)"
            + " WHERE name IN (SELECT s.name FROM pg_catalog.pg_settings AS s)";

    private static final String HINT =
            "Notifications may have been missed: reconnect, LISTEN again, and read anew what they tell about.";

    private record Change(Subscriber subscriber, Wanted wanted) {}

    private final Pools pools;
    private final EventLoop loop;
    private final String pointChannel = "pgproxy " + UUID.randomUUID();
    private final Map<Subscriber, Wanted> subscribers = new HashMap<>();
    private final Map<String, Set<Subscriber>> byChannel = new HashMap<>();
    private final Set<String> listening = new HashSet<>();
    private final Set<String> left = new HashSet<>();

    private List<Change> changes = new ArrayList<>();
    private List<Change> asked = new ArrayList<>();
    private long point;
    private long heard;
    private @Nullable ServerConnection server;
    private boolean busy;
    private Pool pool;
    private @Nullable ErrorFields failure;

    SharedListener(Pools pools, Pool pool, EventLoop loop) {
        this.pools = pools;
        this.pool = pool;
        this.loop = loop;
    }

    // ---- for sessions

    /**
     * From the next point on the subscriber hears this; it is told when that is so.
     *
     * @param from the pool whose credentials open the connection if there is no control_user
     */
    public void change(Subscriber subscriber, Wanted wanted, Pool from) {
        loop.execute(() -> {
            pool = from;
            changes.add(new Change(subscriber, wanted));
            advance();
        });
    }

    /** The subscriber is gone. */
    public void leave(Subscriber subscriber) {
        if (!loop.isShuttingDown()) {
            loop.execute(() -> {
                drop(subscriber);
                advance();
            });
        }
    }

    private void drop(Subscriber subscriber) {
        changes.removeIf(change -> change.subscriber() == subscriber);
        asked.removeIf(change -> {
            boolean its = change.subscriber() == subscriber;
            if (its) {
                left.addAll(change.wanted().channels());
                left.addAll(change.wanted().tentative());
            }
            return its;
        });
        apply(subscriber, Wanted.NOTHING);
    }

    /** The channel of the points; a point's payload is its number. */
    public String pointChannel() {
        return pointChannel;
    }

    /** The primary of its database may be on another host now, where notifications are to be heard. */
    void primaryMoved() {
        loop.execute(() -> {
            ServerConnection last = server;
            ServerTarget now = pools.listenerTarget(pool);
            if (last != null
                    && (now == null || !now.host().equals(last.identity().host()))) {
                last.close("its host is not the primary any more");
            }
        });
    }

    void close() {
        loop.execute(() -> {
            ServerConnection last = server;
            server = null; // its end is no loss
            if (last != null) {
                last.close("pgproxy stops");
            }
        });
    }

    // ---- one question at a time

    private void advance() {
        if (busy) {
            return;
        }
        boolean used = !subscribers.isEmpty() || !changes.isEmpty();
        ServerConnection to = server;
        if (to == null) {
            if (used) {
                busy = true;
                pools.connectListener(pool, loop, this);
            }
        } else if (!used) {
            server = null;
            forget();
            to.close("nobody listens");
        } else {
            ask(to);
        }
    }

    private void ask(ServerConnection to) {
        StringJoiner sql = new StringJoiner(";");
        asked = changes;
        changes = new ArrayList<>();
        Set<String> coming = new LinkedHashSet<>();
        for (Change change : asked) {
            coming.addAll(change.wanted().channels());
            coming.addAll(change.wanted().tentative());
        }
        for (String channel : coming) {
            if (listening.add(channel)) {
                sql.add("LISTEN " + SqlText.quoteIdentifier(channel));
            }
        }
        for (String channel : left) {
            if (!coming.contains(channel) && !byChannel.containsKey(channel) && listening.remove(channel)) {
                sql.add("UNLISTEN " + SqlText.quoteIdentifier(channel));
            }
        }
        left.clear();
        if (!asked.isEmpty()) {
            point++;
            sql.add("NOTIFY " + SqlText.quoteIdentifier(pointChannel) + ",'" + point + "'");
        }
        if (sql.length() > 0) {
            question(to, sql.toString(), this::answered);
        }
    }

    private void answered() {
        List<Change> confirmed = asked;
        asked = new ArrayList<>();
        if (heard != point && server != null) {
            server.close("a notification of its own did not come");
            return;
        }
        for (Change change : confirmed) {
            change.subscriber().confirmed(point);
        }
        advance();
    }

    private void question(ServerConnection to, String sql, Runnable then) {
        busy = true;
        to.ask(sql, ANSWER, "listener does not answer", new OwnReply() {
            @Override
            public void done(@Nullable ErrorFields error, byte status) {
                if (error != null) {
                    failing(error);
                    to.close("listener failed: " + error.message());
                } else if (server == to) {
                    busy = false;
                    then.run();
                }
            }
        });
    }

    // ---- what the connection says

    void heard(Notification notification, HostAddress host) {
        if (notification.channel().equals(pointChannel)) {
            if (notification.text().equals(Long.toString(point))) {
                heard = point;
                asked.forEach(change -> apply(change.subscriber(), change.wanted()));
            }
            return;
        }
        List<Subscriber> full = new ArrayList<>(0);
        for (Subscriber subscriber : byChannel.getOrDefault(notification.channel(), Set.of())) {
            Wanted wanted = subscribers.getOrDefault(subscriber, Wanted.NOTHING);
            if (wanted.hears(notification)) {
                int self = subscriber.processId();
                boolean own = wanted.holding() == notification.processId();
                int from = own ? self : pools.notifiers().shown(host, notification.processId(), self);
                if (!subscriber.offer(notification.from(from))) {
                    full.add(subscriber);
                }
            }
        }
        for (Subscriber subscriber : full) {
            drop(subscriber);
            subscriber.lost(ErrorFields.fatal(
                    SqlState.ADMIN_SHUTDOWN,
                    "terminating connection because too many notifications wait for it",
                    HINT));
        }
    }

    private void apply(Subscriber subscriber, Wanted wanted) {
        Wanted before = subscribers.remove(subscriber);
        if (before != null) {
            before.channels().forEach(channel -> unhook(channel, subscriber));
            before.tentative().forEach(channel -> unhook(channel, subscriber));
        }
        if (!wanted.isNothing()) {
            subscribers.put(subscriber, wanted);
            wanted.channels().forEach(channel -> hook(channel, subscriber));
            wanted.tentative().forEach(channel -> hook(channel, subscriber));
        }
    }

    private void hook(String channel, Subscriber subscriber) {
        byChannel.computeIfAbsent(channel, c -> new LinkedHashSet<>()).add(subscriber);
    }

    private void unhook(String channel, Subscriber subscriber) {
        Set<Subscriber> there = byChannel.get(channel);
        if (there != null && there.remove(subscriber) && there.isEmpty()) {
            byChannel.remove(channel);
            left.add(channel);
        }
    }

    // ---- the connection comes and goes

    /** The server has said this, before the end. */
    void failing(ErrorFields error) {
        if (failure == null) {
            failure = error;
        }
    }

    @Override
    public void connected(ServerConnection connection) {
        server = connection;
        connection.listener(this);
        connection.attach(new ListenerFeed(this, connection.identity().host()));
        question(connection, SETUP + ";LISTEN " + SqlText.quoteIdentifier(pointChannel), () -> {
            LOG.info("{} listens for clients", connection);
            advance();
        });
    }

    @Override
    public void failed(ErrorFields error) {
        lose(ErrorFields.fatal(
                SqlState.CONNECTION_FAILURE,
                "could not listen for notifications: " + error.message(),
                "The connection that listens for all clients could not be opened: see control_user."));
        LOG.warn("listener could not be opened: {}", error);
    }

    @Override
    public void closed(ServerConnection connection, @Nullable ErrorFields lastError) {
        if (connection == server) {
            ErrorFields cause = failure != null ? failure : lastError;
            LOG.warn("{} listener lost: {}", connection, cause == null ? "closed" : cause);
            lose(ErrorFields.fatal(
                    SqlState.ADMIN_SHUTDOWN,
                    "terminating connection because pgproxy lost its connection for notifications"
                            + (cause == null ? "" : ": " + cause.message()),
                    HINT));
        }
    }

    private void lose(ErrorFields error) {
        Set<Subscriber> all = new LinkedHashSet<>(subscribers.keySet());
        asked.forEach(change -> all.add(change.subscriber()));
        changes.forEach(change -> all.add(change.subscriber()));
        server = null;
        forget();
        all.forEach(subscriber -> subscriber.lost(error));
    }

    private void forget() {
        subscribers.clear();
        byChannel.clear();
        listening.clear();
        left.clear();
        asked.clear();
        changes.clear();
        failure = null;
        busy = false;
    }

    @Override
    public void cameHome(ServerConnection connection) {
        throw new IllegalStateException("never lent");
    }
}
