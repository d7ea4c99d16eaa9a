package dev.pgproxy.cache.redis;

import dev.pgproxy.cache.KeyHash;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * By which several instances keep their caches coherent, over one Redis. Before an instance sends a message that can
 * commit, it says which tables that may write ({@link #doubt}); each other instance is told ({@link LinkListener#doubted})
 * and serves no hits of them until it is told the outcome ({@link #settle}). An instance serves hits only while it is
 * surely in contact with Redis and with every other instance ({@link #mayServe}).
 *
 * <p>No call waits and none throws because of Redis. A doubt is confirmed after a round through Redis; where somebody does
 * not answer, after {@code answer} and one and an eighth {@code lease} at the latest, 1.5 s as these are set.
 *
 * <p>The one exception to what {@link Coherence#STRICT} promises, chosen by {@link LinkSettings#forgetAfter}: an instance
 * that can reach PostgreSQL but not Redis, for longer than that or ever since it started, writes unseen ({@link
 * Standing#UNSEEN}). The others see that as late as a stranger's write, unless its process refuses writes then.
 *
 * <p>Thread-safe.
 */
public final class InstanceLink implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(InstanceLink.class);
    private static final int TICKS_PER_BEAT = 8;

    private final String id = randomId();
    private final Coherence coherence;
    private final EpochBook book;
    private final LinkMember member;
    private final long tick;
    private final ScheduledExecutorService thread;
    private final AtomicLong numbers = new AtomicLong();

    /**
     * One that does nothing until {@link #start}.
     *
     * @param access where Redis is; stays the caller's
     * @param secret that all instances share; not kept
     * @param listener the process
     */
    public InstanceLink(RedisAccess access, byte[] secret, LinkSettings settings, LinkListener listener) {
        this.coherence = settings.coherence();
        this.book = new EpochBook(KeyHash.of(secret));
        this.tick = settings.beat() / TICKS_PER_BEAT;
        ScheduledThreadPoolExecutor executor = new ScheduledThreadPoolExecutor(1, task -> {
            Thread created = new Thread(task, "pgproxy-instances");
            created.setDaemon(true);
            return created;
        });
        executor.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        this.thread = executor;
        this.member = new LinkMember(id, access, settings, listener, book, this::execute);
    }

    /** 128 bits that nobody else has, in hexadecimal. */
    static String randomId() {
        byte[] random = new byte[16];
        new SecureRandom().nextBytes(random);
        return HexFormat.of().formatHex(random);
    }

    /**
     * The names that stand for several databases, this one among them: of {@code 7/shop} that is {@code 7/}, every database
     * of 7, and the empty name, every database there is.
     */
    public static List<String> around(String database) {
        if (isSeveral(database)) {
            return List.of();
        }
        int slash = database.indexOf('/');
        return slash < 0 ? List.of("") : List.of("", database.substring(0, slash + 1));
    }

    /** Whether a name stands for several databases. */
    public static boolean isSeveral(String name) {
        return name.indexOf('/') == name.length() - 1;
    }

    /** Begins to look for Redis and the others. */
    public void start() {
        thread.scheduleWithFixedDelay(guarded(member::tick), 0, tick, TimeUnit.NANOSECONDS);
    }

    /** By which the others know this one. */
    public String id() {
        return id;
    }

    /**
     * Whether hits may be served at this moment. To be asked before the hit is looked for, and before it is asked whether
     * its tables are in doubt: then the answer was true at the moment of this call.
     */
    public boolean mayServe() {
        return member.mayServe();
    }

    /** What the others know of this one's writes. */
    public Standing standing() {
        return member.standing();
    }

    /**
     * A message that can commit is about to be sent. This process must hold the tables in doubt itself already.
     *
     * @param database as all instances call it, or one of the names {@link #around} it, with all tables
     * @param backendPid of the backend that will execute it; 0 if not known
     * @param backendStart when it started, in microseconds since 1970; 0 if not known
     * @param confirmed called once, when the message may be sent: on the link's thread, or before this returns where nothing
     *     waits. Not called if {@link #settle} comes first
     * @return the number for {@link #settle}
     */
    public long doubt(String database, TableSet tables, int backendPid, long backendStart, Runnable confirmed) {
        Doubt doubt = begin(database, tables, backendPid, backendStart);
        if (coherence == Coherence.PUSH) {
            execute(() -> member.own().doubt(doubt, null));
            confirmed.run();
        } else {
            execute(() -> member.own().doubt(doubt, confirmed));
        }
        return doubt.number();
    }

    private Doubt begin(String database, TableSet tables, int backendPid, long backendStart) {
        Doubt doubt = new Doubt(id, numbers.incrementAndGet(), database, tables, backendPid, backendStart);
        book.doubt(doubt); // at once, so that nobody is given an epoch from before the write
        return doubt;
    }

    /**
     * The outcome is known: if it has written, this process counts the tables as written already. The client can be
     * answered without waiting, because the others hold them in doubt until they hear of it.
     */
    public void settle(long number, Ending ending) {
        execute(() -> member.own().settle(number, ending));
    }

    /** This process has learnt that these were written, by whomever, without a doubt before it. */
    public void announce(String database, TableSet tables) {
        Doubt doubt = begin(database, tables, 0, 0);
        execute(() -> member.own().ended(doubt, Ending.WRITTEN));
    }

    /** What the state of these tables is called by in every instance; null if one may be changing, or nobody can know. */
    public @Nullable Epoch epoch(String database, TableSet tables) {
        return book.epoch(database, tables);
    }

    /** Whether any instance, this one included, has any of these in doubt, as far as this one has heard. */
    public boolean inDoubt(String database, TableSet tables) {
        return book.inDoubt(database, tables);
    }

    /** Somebody knows that an instance that has vanished cannot write any more. */
    public void forget(String instance) {
        execute(() -> member.forget(instance));
    }

    /** How it stands, when the link's thread comes to it. */
    public CompletionStage<LinkStatus> status() {
        CompletableFuture<LinkStatus> status = new CompletableFuture<>();
        execute(() -> status.complete(member.status()));
        return status;
    }

    /**
     * Serves no hits any more and says goodbye, if that is possible; doubts that are open are left to the others. To be
     * called when no client is left: doubts that wait are not confirmed any more. Does not wait.
     */
    @Override
    public void close() {
        execute(() -> {
            // where Redis does not answer to the goodbye
            thread.schedule(guarded(this::end), 1, TimeUnit.SECONDS);
            member.leave(this::end);
        });
    }

    private void end() {
        member.drop();
        thread.shutdownNow();
    }

    /** Ends as a process does that is killed. */
    void kill() {
        execute(this::end);
    }

    private void execute(Runnable task) {
        try {
            thread.execute(guarded(task));
        } catch (RejectedExecutionException e) {
            LOG.debug("The link is closed", e);
        }
    }

    private Runnable guarded(Runnable task) {
        return () -> {
            try {
                task.run();
            } catch (RuntimeException e) {
                LOG.error("Instances: internal error", e);
                member.failed();
            }
        };
    }
}
