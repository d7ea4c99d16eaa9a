package dev.pgproxy;

import dev.pgproxy.config.ConfigLoader;
import dev.pgproxy.config.ProxyConfig;
import dev.pgproxy.demo.DemoOptions;
import dev.pgproxy.demo.EmbeddedCluster;
import dev.pgproxy.demo.EmbeddedPostgres;
import dev.pgproxy.demo.EmbeddedRedis;
import dev.pgproxy.demo.NotesDatabase;
import dev.pgproxy.demo.ProxyStarter;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The proxy of the demo: user demo, password demo, who is also admin of the console. */
final class DemoProxy implements ProxyStarter {
    private final Runnable onStop;

    /** @param onStop runs when the proxy has stopped, on a thread of its own */
    DemoProxy(Runnable onStop) {
        this.onStop = onStop;
    }

    @Override
    public AutoCloseable start(String host, DemoOptions options, EmbeddedCluster cluster, @Nullable EmbeddedRedis redis)
            throws Exception {
        String config = "listen_addr = [\"" + host + "\"]\nlisten_port = " + options.port() + "\n"
                + "http_addr = [" + (options.httpPort() == 0 ? "" : "\"" + host + "\"") + "]\n"
                + "http_port = " + options.httpPort() + "\n"
                + "databases { \"*\" { primary = \"" + cluster.primary().host() + ":"
                + cluster.primary().port() + "\", replicas = [" + replicas(cluster) + "] } }\n"
                + "control_user = \"" + EmbeddedPostgres.SUPERUSER + "\"\n"
                + "control_password = \"" + cluster.primary().superuserPassword() + "\"\n"
                + "users { \"" + NotesDatabase.USER + "\" { password = \"" + NotesDatabase.PASSWORD + "\" } }\n"
                + "admin_users = [\"" + NotesDatabase.USER + "\"]\n"
                + "cache_mode = on\nfailover = promote\nfailover_after = 3s\n" + sharing(redis);
        ProxyConfig read = ConfigLoader.parse(config);
        PgProxy proxy = PgProxy.start(read);
        // so that its definitions are known, and its writes told, when the first client comes
        proxy.services().routes().enter(Objects.requireNonNull(read.wildcard()), NotesDatabase.NAME);
        // SHUTDOWN in the console ends the whole demo, whose own end also stops the proxy
        proxy.stopped().thenRun(() -> new Thread(onStop, "demo-exit").start());
        return proxy;
    }

    private static String sharing(@Nullable EmbeddedRedis redis) {
        return redis == null
                ? ""
                : "redis_url = \"" + redis.url() + "\"\nredis_password = \"" + redis.password()
                        + "\"\nredis_secret = \"" + redis.password()
                        + "\"\ninstance_lease = 500ms\n"; // a new Redis is waited for three of them
    }

    private static String replicas(EmbeddedCluster cluster) {
        return cluster.replicas().stream()
                .map(replica -> "\"" + replica.host() + ":" + replica.port() + "\"")
                .collect(Collectors.joining(", "));
    }
}
