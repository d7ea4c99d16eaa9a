package dev.pgproxy.patroni;

import dev.pgproxy.config.HostAddress;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks the members of one cluster again and again who belongs to it, on a thread of its own. What they said last counts until
 * one of them says something else. Thread-safe.
 */
public final class PatroniWatch implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(PatroniWatch.class);

    /** Each answer costs Patroni a question to its store. */
    private static final long INTERVAL = Duration.ofSeconds(2).toNanos();

    /**
     * What is known. Immutable.
     *
     * @param members as told last; empty if nobody has answered since the start
     * @param by who told; null if nobody has
     * @param at when, by System.nanoTime
     * @param problem why nobody tells now; empty if somebody does
     */
    public record Status(List<Member> members, @Nullable URI by, long at, String problem) {
        public Status {
            members = List.copyOf(members);
        }
    }

    private final HostAddress cluster;
    private final PatroniApi api;
    private final Runnable told;
    private final Thread thread;
    private volatile Status status;
    private volatile boolean open = true;

    /**
     * Not yet begun.
     *
     * @param cluster for the log
     * @param known what is known from before; null if nothing is
     * @param told runs on the thread that asks after each answer
     */
    public PatroniWatch(HostAddress cluster, PatroniApi api, @Nullable Status known, Runnable told) {
        this.cluster = cluster;
        this.api = api;
        this.told = told;
        this.status = known == null ? new Status(List.of(), null, System.nanoTime(), "") : known;
        this.thread = Thread.ofPlatform().daemon().name(cluster.toString()).unstarted(this::run);
    }

    /** Begins to ask. */
    public void start() {
        thread.start();
    }

    /** Whose members they are, as the databases have it. */
    public HostAddress cluster() {
        return cluster;
    }

    /** What is known now. */
    public Status status() {
        return status;
    }

    private void run() {
        while (open) {
            try {
                ask();
            } catch (InterruptedException e) {
                return;
            } catch (RuntimeException e) {
                if (!open) {
                    return;
                }
                LOG.error("{}: what its members told could not be used", cluster, e);
            }
            long next = System.nanoTime() + INTERVAL;
            for (long left = INTERVAL; left > 0 && open; left = next - System.nanoTime()) {
                LockSupport.parkNanos(this, left);
            }
        }
    }

    private void ask() throws InterruptedException {
        Status before = status;
        try {
            PatroniApi.Told answer = api.ask();
            status = new Status(answer.members(), answer.by(), System.nanoTime(), "");
            if (!before.problem().isEmpty()) {
                LOG.info("{}: {} answers", cluster, answer.by());
            }
        } catch (IOException e) {
            status = new Status(before.members(), before.by(), before.at(), String.valueOf(e.getMessage()));
            if (before.problem().isEmpty() && open) {
                LOG.warn(
                        "{}: no member answers: {}; {}",
                        cluster,
                        e.getMessage(),
                        before.members().isEmpty()
                                ? "no host is known, so clients wait; they are asked again every 2 s"
                                : "the hosts stay those that were told last");
            }
            return;
        }
        if (open) {
            told.run();
        }
    }

    /** Ends it; does not wait for an answer. */
    @Override
    public void close() {
        open = false;
        thread.interrupt();
        api.close();
    }
}
