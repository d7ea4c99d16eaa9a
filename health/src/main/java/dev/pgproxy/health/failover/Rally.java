package dev.pgproxy.health.failover;

import dev.pgproxy.health.probe.ControlTarget;
import java.sql.SQLException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Before one of several replicas is promoted, the others are turned to it, away from a primary that may only be standing
 * still: where commits wait for replicas, none there can be acknowledged on their word any more, so that the one that has most
 * has every commit that anybody was ever told of; and none of them gets what the new primary will not have, and could not
 * follow it then. Used once. Waits.
 */
final class Rally {
    private static final Logger LOG = LoggerFactory.getLogger(Rally.class);
    private static final long LIMIT = Duration.ofSeconds(1).toNanos();
    private static final long TICK = Duration.ofMillis(10).toNanos();

    /** Each makes the one that has most of all the chosen one; those that were turned get no more meanwhile. */
    private static final int ROUNDS = 3;

    private final List<Standby> standbys;
    private final ExecutorService asking;

    /** Whom those that were turned followed before. */
    private final Map<Standby, ConnInfo> turned = new LinkedHashMap<>();

    /**
     * Not begun yet.
     *
     * @param standbys those that may be promoted
     */
    Rally(List<Standby> standbys, ExecutorService asking) {
        this.standbys = List.copyOf(standbys);
        this.asking = asking;
    }

    /** Turns all to this one, or to one that turns out to have more, and returns that; null if somebody takes writes by now. */
    @Nullable
    Standby around(Standby chosen) {
        Standby first = chosen;
        for (int round = 0; round < ROUNDS; round++) {
            Standby center = first;
            each(standbys, standby -> isSame(standby, center) || turn(standby, center.target()));
            List<Standby> now = askAll();
            if (now.stream().anyMatch(standby -> !standby.inRecovery())) {
                return null;
            }
            Standby most = now.stream()
                    .filter(standby -> isSame(standby, center))
                    .findFirst()
                    .orElse(center);
            for (Standby standby : now) {
                most = Long.compareUnsigned(standby.received(), most.received()) > 0 ? standby : most;
            }
            if (isSame(most, center)) {
                return most;
            }
            first = most;
        }
        return first;
    }

    private static boolean isSame(Standby one, Standby other) {
        return one.target().host().index() == other.target().host().index();
    }

    /** Returns when it hears nothing of the one that it has followed, or cannot be turned. */
    private boolean turn(Standby standby, ControlTarget to) {
        ConnInfo conninfo = standby.primary();
        if (conninfo == null) {
            return false;
        }
        try {
            if (!standby.slot().isEmpty()) {
                Following.makeSlot(to, standby.slot());
            }
            synchronized (turned) {
                turned.putIfAbsent(standby, conninfo);
            }
            Following.point(standby.target(), conninfo.to(to.hostName(), to.port()));
            long end = System.nanoTime() + LIMIT;
            while (standby.receiver() != 0
                    && Standby.ask(standby.target()).receiver() == standby.receiver()
                    && System.nanoTime() - end < 0) {
                LockSupport.parkNanos(this, TICK);
            }
            return true;
        } catch (SQLException e) {
            LOG.warn(
                    "{} cannot be turned to {} before that is promoted: {}",
                    standby.target().host(),
                    to.host(),
                    e.getMessage());
            return false;
        }
    }

    /** It has come to nothing: each follows whom it has followed. */
    void back() {
        Map<Standby, ConnInfo> all;
        synchronized (turned) {
            all = Map.copyOf(turned);
        }
        each(List.copyOf(all.keySet()), standby -> {
            ConnInfo conninfo = all.get(standby);
            if (conninfo != null) {
                Following.point(standby.target(), conninfo);
            }
            return true;
        });
    }

    private List<Standby> askAll() {
        return each(standbys, standby -> Standby.ask(standby.target()));
    }

    private interface Question<T> {
        T of(Standby standby) throws SQLException;
    }

    /** All at once; the answers of those that gave one. */
    private <T> List<T> each(List<Standby> whom, Question<T> question) {
        return Answers.of(
                asking,
                whom.stream()
                        .<Callable<T>>map(standby -> () -> question.of(standby))
                        .toList());
    }
}
