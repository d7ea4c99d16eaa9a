package dev.pgproxy.client;

import dev.pgproxy.insight.DeadlockSide;
import dev.pgproxy.insight.DeadlockVictim;
import dev.pgproxy.insight.Deadlocks;
import io.netty.channel.EventLoop;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Looks which clients had the backends that the victim of a deadlock waited for, and what ran there: each client is asked on its
 * own loop. At most ten deadlocks a second are looked into. Thread-safe.
 */
public final class DeadlockPartners implements Consumer<DeadlockVictim> {
    private static final long PAUSE = 100_000_000;

    private final Clients clients;
    private final Deadlocks deadlocks;
    private final AtomicLong next = new AtomicLong(System.nanoTime());

    /** Among these clients. */
    public DeadlockPartners(Clients clients, Deadlocks deadlocks) {
        this.clients = clients;
        this.deadlocks = deadlocks;
    }

    @Override
    public void accept(DeadlockVictim victim) {
        List<Integer> others = Deadlocks.others(victim.detail(), victim.processId());
        long from = next.get();
        if (others.isEmpty() || victim.at() - from < 0 || !next.compareAndSet(from, victim.at() + PAUSE)) {
            return;
        }
        Map<EventLoop, List<ClientConnection>> byLoop = new HashMap<>();
        for (ClientConnection client : clients.all()) {
            byLoop.computeIfAbsent(client.channel().eventLoop(), loop -> new ArrayList<>())
                    .add(client);
        }
        Map<Integer, DeadlockSide> found = new ConcurrentHashMap<>();
        AtomicInteger left = new AtomicInteger(byLoop.size());
        byLoop.forEach((loop, group) -> loop.execute(() -> {
            for (int other : others) {
                group.forEach(client -> {
                    DeadlockSide side = ranAt(client, victim, other);
                    if (side != null) {
                        found.put(other, side);
                    }
                });
            }
            if (left.decrementAndGet() == 0 && !found.isEmpty()) {
                List<DeadlockSide> sides = new ArrayList<>(found.values());
                sides.addFirst(victim.side());
                deadlocks.add(sides);
            }
        }));
    }

    private static @Nullable DeadlockSide ranAt(ClientConnection client, DeadlockVictim victim, int processId) {
        QueryPhase queries = client.queries();
        return queries == null ? null : queries.flow().times().ranAt(victim.host(), processId, victim.at());
    }
}
