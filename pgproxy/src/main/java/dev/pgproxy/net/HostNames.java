package dev.pgproxy.net;

import io.netty.resolver.AddressResolver;
import io.netty.resolver.AddressResolverGroup;
import io.netty.resolver.InetNameResolver;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.Promise;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.security.Security;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Addresses of host names, looked up by the system on a thread of their own, never on an event loop, and used for
 * {@code dns_max_ttl}. A name with several addresses is used in turn. Thread-safe.
 */
public final class HostNames extends AddressResolverGroup<InetSocketAddress> {
    /**
     * A name that was looked up.
     *
     * @param ttlSeconds how much longer the addresses are used; negative when they will be looked up anew
     */
    public record Known(String name, long ttlSeconds, List<InetAddress> addresses) {}

    private static final class Entry {
        private final CompletableFuture<List<InetAddress>> addresses = new CompletableFuture<>();
        private final AtomicInteger turn = new AtomicInteger();
        private final long since = System.nanoTime();
    }

    /** For how many seconds Java uses what it has looked up (manual of java.net.InetAddress). */
    private static final String JAVAS_TTL = "networkaddress.cache.ttl";

    /** For how many seconds it does not look again for a name that it has not found. */
    private static final String JAVAS_NEGATIVE_TTL = "networkaddress.cache.negative.ttl";

    private final Map<String, Entry> entries = new ConcurrentHashMap<>();
    private final Executor lookUps;
    private volatile Duration ttl;

    /** Looks up on {@code lookUps}. */
    public HostNames(Executor lookUps, Duration ttl) {
        this.lookUps = lookUps;
        this.ttl = ttl;
    }

    /**
     * Keeps Java from using addresses for longer, 30 s, than {@code dns_max_ttl} says, unless somebody has told it how long to,
     * and from not looking for 10 s when a name was not found: pools pause by themselves after a failure. For the whole
     * process, which must not have looked up a name yet.
     */
    public static void switchOffJavasMemory() {
        if (Security.getProperty(JAVAS_TTL) == null) {
            Security.setProperty(JAVAS_TTL, "0");
        }
        Security.setProperty(JAVAS_NEGATIVE_TTL, "0"); // always: the JDK's own file sets it, too
    }

    /** RELOAD. */
    public void ttl(Duration changed) {
        ttl = changed;
    }

    /** What is known now, for SHOW DNS_HOSTS. */
    public List<Known> known() {
        List<Known> list = new ArrayList<>();
        entries.forEach((name, entry) -> {
            if (entry.addresses.isDone() && !entry.addresses.isCompletedExceptionally()) {
                long left = ttl.toNanos() - (System.nanoTime() - entry.since);
                list.add(new Known(name, left / 1_000_000_000L, entry.addresses.getNow(List.of())));
            }
        });
        return list;
    }

    /** Whether a name has been found to stand for other addresses than this one since. */
    public boolean hasLeft(String name, InetAddress address) {
        Entry entry = entries.get(name);
        return entry != null
                && entry.addresses.isDone()
                && !entry.addresses.isCompletedExceptionally()
                && !entry.addresses.getNow(List.of()).contains(address);
    }

    @Override
    protected AddressResolver<InetSocketAddress> newResolver(EventExecutor executor) {
        return new InetNameResolver(executor) {
            @Override
            protected void doResolve(String name, Promise<InetAddress> promise) {
                Entry entry = entry(name);
                entry.addresses.whenComplete((addresses, failure) -> {
                    if (failure != null) {
                        promise.tryFailure(failure);
                    } else {
                        int turn = Math.floorMod(entry.turn.getAndIncrement(), addresses.size());
                        promise.trySuccess(addresses.get(turn));
                    }
                });
            }

            @Override
            protected void doResolveAll(String name, Promise<List<InetAddress>> promise) {
                entry(name).addresses.whenComplete((addresses, failure) -> {
                    if (failure != null) {
                        promise.tryFailure(failure);
                    } else {
                        promise.trySuccess(addresses);
                    }
                });
            }
        }.asAddressResolver();
    }

    private Entry entry(String name) {
        return entries.compute(name, (key, known) -> {
            if (known != null
                    && (!known.addresses.isDone()
                            || !known.addresses.isCompletedExceptionally()
                                    && System.nanoTime() - known.since < ttl.toNanos())) {
                return known;
            }
            Entry fresh = new Entry();
            lookUps.execute(() -> lookUp(key, fresh));
            return fresh;
        });
    }

    private static void lookUp(String name, Entry entry) {
        try {
            entry.addresses.complete(List.of(InetAddress.getAllByName(name)));
        } catch (UnknownHostException e) {
            entry.addresses.completeExceptionally(new UnknownHostException("unknown host " + name));
        }
    }
}
