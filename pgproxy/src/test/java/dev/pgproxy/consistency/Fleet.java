package dev.pgproxy.consistency;

import dev.pgproxy.PgProxy;
import dev.pgproxy.testing.Endpoint;
import java.io.IOException;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import redis.embedded.RedisServer;

/** So many proxies before one primary, over a Redis of their own where there are several. Confined to its thread. */
final class Fleet implements AutoCloseable {
    private final List<PgProxy> proxies = new ArrayList<>();
    private final List<Endpoint> endpoints = new ArrayList<>();
    private final @Nullable RedisServer redis;

    private Fleet(@Nullable RedisServer redis) {
        this.redis = redis;
    }

    static Fleet start(int size, Arena arena, Mode mode, Workload workload) {
        if (size == 1) {
            Fleet alone = new Fleet(null);
            alone.add(arena, mode, workload, "");
            return alone;
        }
        try (ServerSocket free = new ServerSocket(0)) {
            int port = free.getLocalPort();
            free.close();
            RedisServer server = RedisServer.newRedisServer()
                    .port(port)
                    .setting("bind 127.0.0.1")
                    .setting("save \"\"")
                    .build();
            server.start();
            Fleet fleet = new Fleet(server);
            for (int i = 0; i < size; i++) {
                fleet.add(
                        arena,
                        mode,
                        workload,
                        "redis_url = \"redis://127.0.0.1:" + port
                                + "\"\nredis_secret = \"no secret, but long enough\"\n");
            }
            return fleet;
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private void add(Arena arena, Mode mode, Workload workload, String more) {
        PgProxy proxy = ConsistencyIT.start(arena, mode, workload, more);
        proxies.add(proxy);
        endpoints.add(ConsistencyIT.endpoint(arena, proxy));
    }

    /** Each session is a client of one of them. */
    Link.Target target() {
        return Targets.among(endpoints);
    }

    List<PgProxy> proxies() {
        return proxies;
    }

    @Override
    public void close() {
        proxies.forEach(PgProxy::close);
        if (redis != null) {
            try {
                redis.stop();
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }
    }
}
