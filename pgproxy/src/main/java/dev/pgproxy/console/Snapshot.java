package dev.pgproxy.console;

import dev.pgproxy.client.ClientConnection;
import dev.pgproxy.client.Clients;
import dev.pgproxy.pool.Pool;
import dev.pgproxy.pool.PoolKey;
import dev.pgproxy.pool.Pools;
import dev.pgproxy.server.ServerConnection;
import dev.pgproxy.server.ServerState;
import io.netty.channel.EventLoop;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * All clients and servers at about one moment, ordered by their numbers. Immutable. Each is read on the loop that owns
 * it; one that has gone meanwhile is left out.
 */
record Snapshot(List<ClientView> clients, List<ServerView> servers) {

    /** Asks every loop, and blocks none. */
    static CompletionStage<Snapshot> take(Clients clients, Pools pools) {
        ConcurrentLinkedQueue<ClientView> clientViews = new ConcurrentLinkedQueue<>();
        ConcurrentLinkedQueue<ServerView> serverViews = new ConcurrentLinkedQueue<>();
        List<CompletableFuture<Void>> parts = new ArrayList<>();
        Map<EventLoop, List<ClientConnection>> byLoop = new HashMap<>();
        for (ClientConnection client : clients.all()) {
            byLoop.computeIfAbsent(client.channel().eventLoop(), l -> new ArrayList<>())
                    .add(client);
        }
        byLoop.forEach((loop, group) -> parts.add(on(loop, () -> {
            group.forEach(client -> clientViews.add(ClientView.of(client)));
            return done();
        })));
        for (Pool pool : pools.all()) {
            for (ServerConnection server : pool.servers()) {
                parts.add(on(
                        server.home(),
                        () -> on(server.loop(), () -> {
                            if (server.state() != ServerState.CLOSED) {
                                serverViews.add(ServerView.of(server, pool));
                            }
                            return done();
                        })));
            }
        }
        return CompletableFuture.allOf(parts.toArray(CompletableFuture[]::new))
                .thenApply(all -> of(new ArrayList<>(clientViews), new ArrayList<>(serverViews)));
    }

    private static Snapshot of(List<ClientView> clients, List<ServerView> servers) {
        clients.sort(Comparator.comparingLong(view -> view.client().id()));
        servers.sort(Comparator.comparingLong(view -> view.server().identity().id()));
        return new Snapshot(List.copyOf(clients), List.copyOf(servers));
    }

    private static CompletableFuture<Void> done() {
        return CompletableFuture.completedFuture(null);
    }

    private static CompletableFuture<Void> on(Executor loop, Supplier<CompletableFuture<Void>> work) {
        return CompletableFuture.supplyAsync(work, loop).thenCompose(part -> part);
    }

    /** The client that has this server now. */
    @Nullable
    ClientView clientOf(ServerConnection server) {
        for (ClientView view : clients) {
            if (view.server() == server) {
                return view;
            }
        }
        return null;
    }

    /** Those of a pool on whatever host. */
    List<ServerView> serversOf(PoolKey key) {
        return servers.stream()
                .filter(view -> view.pool().key().on(null).equals(key))
                .toList();
    }

    List<ClientView> clientsOf(PoolKey key) {
        if (key.asItself()) {
            return List.of(); // the pool of auth_query
        }
        return clients.stream()
                .filter(view -> view.stage().isServed()
                        && view.client().database().equals(key.database())
                        && view.client().user().equals(key.user()))
                .toList();
    }
}
