package dev.pgproxy.cache.redis;

import io.lettuce.core.RedisChannelHandler;
import io.lettuce.core.RedisConnectionStateListener;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.async.RedisAsyncCommands;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where instances borrow tokens of limits that they share: one Redis. A token is used within a short time after it was lent,
 * and counts until a window after its use, or after the end of that time where nobody has told of it: so in no window more
 * are used than the limit, whoever dies and whatever answer is lost. Redis' clock counts; it must not leap forward.
 *
 * <p>Has a thread of its own, on which all callbacks come, and a connection that it opens again when it is lost. No call
 * waits and none throws because of Redis. Thread-safe.
 */
public final class TokenBank implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(TokenBank.class);
    private static final Pattern RUN = Pattern.compile("run_id:(\\w+)");
    private static final long TICK_MILLIS = 50;
    private static final long RETRY = 200_000_000;

    /** An answer that takes longer means that the connection is dead. */
    private static final long DEAD_MILLIS = 1000;

    /** That there are fewer instances than there were is believed after such a time. */
    private static final long FEWER = 10_000_000_000L;

    /** A connection to one process of Redis. */
    private record Session(StatefulRedisConnection<String, String> connection, String run, String digest) {}

    private final RedisAccess access;
    private final InstanceLink link;
    private final String script;
    private final String prefix;
    private final ScheduledExecutorService thread;
    private volatile @Nullable Session session;
    private volatile int instances = 1;
    private volatile boolean closed;

    // of the thread
    private boolean opening;
    private boolean told;
    private long retryAt = System.nanoTime();
    private long countedAt = System.nanoTime();

    /**
     * Begins to look for Redis.
     *
     * @param access where Redis is; stays the caller's
     * @param link knows the other instances; stays the caller's
     */
    public TokenBank(RedisAccess access, InstanceLink link) {
        this(access, link, TokenScript.TEXT);
    }

    /** With another script, which tests break on purpose. */
    TokenBank(RedisAccess access, InstanceLink link, String script) {
        this.access = access;
        this.link = link;
        this.script = script;
        // beside the link's keys, with the same hash tag; the number is that of the format
        this.prefix = "{" + access.settings().namespace() + "}:rates:1";
        ScheduledThreadPoolExecutor executor = new ScheduledThreadPoolExecutor(1, task -> {
            Thread created = new Thread(task, "pgproxy-limits");
            created.setDaemon(true);
            return created;
        });
        executor.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        executor.setRemoveOnCancelPolicy(true);
        this.thread = executor;
        every(TICK_MILLIS, this::tick);
    }

    /** Whether Redis can be asked. */
    public boolean isOpen() {
        return session != null;
    }

    /** How many instances there are, this one included, as far as is known: the last that were known while Redis is away. */
    public int instances() {
        return instances;
    }

    /** Runs it on the thread of this bank, after so many nanoseconds; never once this was closed. */
    public void execute(Runnable task, long nanos) {
        try {
            thread.schedule(guarded(task), nanos, TimeUnit.NANOSECONDS);
        } catch (RejectedExecutionException e) {
            LOG.debug("The bank is closed", e);
        }
    }

    /** Runs it on the thread of this bank again and again, until this is closed. */
    public void every(long millis, Runnable task) {
        thread.scheduleWithFixedDelay(guarded(task), 0, millis, TimeUnit.MILLISECONDS);
    }

    private static Runnable guarded(Runnable task) {
        return () -> {
            try {
                task.run();
            } catch (RuntimeException e) {
                LOG.error("Rate limits: internal error", e);
            }
        };
    }

    /**
     * Asks for tokens.
     *
     * @param then gets the answer; null if there is none, and it cannot be known whether Redis has lent any
     */
    public void borrow(TokenRequest request, Consumer<@Nullable TokenLoan> then) {
        Session current = session;
        if (current == null) {
            execute(() -> then.accept(null), 0);
            return;
        }
        ask(current, request)
                .orTimeout(DEAD_MILLIS, TimeUnit.MILLISECONDS)
                .whenComplete((loan, failure) -> execute(
                        () -> {
                            if (failure != null) {
                                failed(current, failure);
                            }
                            then.accept(loan);
                        },
                        0));
    }

    private CompletableFuture<TokenLoan> ask(Session on, TokenRequest request) {
        List<String> arguments = new ArrayList<>(7 + 3 * request.uses().size());
        arguments.add(on.run());
        arguments.add(Integer.toString(request.most()));
        arguments.add(Long.toString(request.windowMicros()));
        arguments.add(Long.toString(request.validMicros()));
        arguments.add(request.block());
        arguments.add(Integer.toString(request.want()));
        arguments.add(Integer.toString(request.need()));
        for (TokenUse use : request.uses()) {
            arguments.add(use.block());
            arguments.add(Integer.toString(use.count()));
            arguments.add(Long.toString(use.ageMicros()));
        }
        String[] keys = {prefix + ":" + request.limit(), prefix};
        return on.connection()
                .async()
                .<List<Object>>evalsha(on.digest(), ScriptOutputType.MULTI, keys, arguments.toArray(new String[0]))
                .thenApply(answer ->
                        new TokenLoan((int) number(answer.get(0)), number(answer.get(1)), number(answer.get(2))))
                .toCompletableFuture();
    }

    private static long number(Object answer) {
        return (Long) answer;
    }

    private void tick() {
        link.status().thenAccept(status -> execute(() -> count(status), 0));
        if (session == null && !opening && !closed && System.nanoTime() - retryAt >= 0) {
            opening = true;
            access.texts()
                    .thenCompose(this::prepare)
                    .whenComplete((opened, failure) -> execute(() -> opened(opened, failure), 0));
        }
    }

    private void count(LinkStatus status) {
        long now = System.nanoTime();
        int known = 1 + status.instances().size() + status.lost().size();
        if (!status.connected()) {
            countedAt = now;
        } else if (known >= instances || now - countedAt > FEWER) {
            instances = known;
            countedAt = now;
        }
    }

    private CompletableFuture<Session> prepare(StatefulRedisConnection<String, String> connection) {
        connection.addListener(new RedisConnectionStateListener() {
            @Override
            public void onRedisDisconnected(RedisChannelHandler<?, ?> handler) {
                execute(() -> lost(connection), 0);
            }
        });
        RedisAsyncCommands<String, String> commands = connection.async();
        return commands.info("server")
                .thenCombine(commands.scriptLoad(script), (info, digest) -> {
                    Matcher run = RUN.matcher(info);
                    return new Session(connection, run.find() ? run.group(1) : "", digest);
                })
                .toCompletableFuture()
                .orTimeout(DEAD_MILLIS, TimeUnit.MILLISECONDS)
                .whenComplete((opened, failure) -> {
                    if (failure != null) {
                        connection.closeAsync();
                    }
                });
    }

    private void opened(@Nullable Session opened, @Nullable Throwable failure) {
        opening = false;
        if (opened == null) {
            LOG.debug("Redis at {} cannot be reached", access, failure);
            retryAt = System.nanoTime() + RETRY;
        } else if (closed || !opened.connection().isOpen()) {
            opened.connection().closeAsync();
        } else {
            session = opened;
        }
    }

    private void lost(StatefulRedisConnection<String, String> connection) {
        Session current = session;
        if (current != null && current.connection() == connection) {
            session = null;
        }
    }

    /** Also where Redis has answered with an error: it may be another one the next time. */
    private void failed(Session on, Throwable failure) {
        if (!told && on.connection().isOpen()) {
            told = true;
            LOG.warn(
                    "Redis at {} lends no tokens of rate limits: each instance allows its part of them",
                    access,
                    failure);
        }
        if (session == on) {
            session = null;
            retryAt = System.nanoTime() + RETRY;
        }
        on.connection().closeAsync();
    }

    /** Lends nothing any more. What is lent counts until its time is over. Does not wait. */
    @Override
    public void close() {
        closed = true;
        Session current = session;
        session = null;
        if (current != null) {
            current.connection().closeAsync();
        }
        thread.shutdownNow();
    }
}
