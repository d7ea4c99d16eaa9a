package dev.pgproxy.demo;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.sql.SQLException;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A PostgreSQL cluster with the notes application, and the proxy in front of it: {@code pgproxy demo}. Ends with the JVM at the
 * latest: SIGINT and SIGTERM close it, even while it starts. Thread-safe.
 */
public final class Demo implements AutoCloseable {
    private final Consumer<String> out;
    private final CountDownLatch closed = new CountDownLatch(1);
    private @Nullable EmbeddedCluster cluster;
    private @Nullable EmbeddedRedis redis;
    private @Nullable AutoCloseable proxy;

    private Demo(Consumer<String> out) {
        this.out = out;
    }

    /**
     * Starts everything, in this order; what was started is stopped again when a step fails.
     *
     * @param out takes the lines for the user: progress, then {@code primary:}, {@code replica:}, {@code redis:}, {@code console:},
     *     {@code page:} with an address each, how to see the cache, and {@code ready:} with the address at the end
     * @throws ClusterException with a sentence for the user
     * @throws Exception what the proxy's start threw
     */
    public static Demo start(DemoOptions options, ProxyStarter starter, Consumer<String> out) throws Exception {
        Demo demo = new Demo(out);
        Thread hook = new Thread(demo::close, "demo-close");
        Runtime.getRuntime().addShutdownHook(hook);
        try {
            demo.run(options, starter);
            return demo;
        } catch (Exception e) {
            demo.close();
            throw e;
        }
    }

    /** Holds the lock to its end: who closes meanwhile, waits and then finds everything that there is to close. */
    private synchronized void run(DemoOptions options, ProxyStarter starter) throws Exception {
        String host = EmbeddedPostgres.HOST;
        refusePortInUse(options.port(), "--port");
        if (options.httpPort() != 0) {
            refusePortInUse(options.httpPort(), "--http");
        }
        cluster = EmbeddedCluster.start(
                ClusterOptions.temporary()
                        .withDirectory(options.dataDirectory(), options.keep())
                        .withReplicas(options.replicas()),
                out);
        load(cluster);
        redis = EmbeddedRedis.start(out);
        out.accept("primary: " + url(cluster.primary()));
        cluster.replicas().forEach(replica -> out.accept("replica: " + url(replica)));
        proxy = starter.start(host, options, cluster, redis);
        out.accept("console: " + url(host, options.port(), "pgproxy"));
        if (options.httpPort() != 0) {
            out.accept("page: http://" + host + ":" + options.httpPort() + "/");
        }
        showCache(url(host, options.port(), NotesDatabase.NAME), url(host, options.port(), "pgproxy"));
        showFailover(cluster);
        out.accept("ready: " + url(host, options.port(), NotesDatabase.NAME));
    }

    private void showFailover(EmbeddedCluster started) {
        if (!started.replicas().isEmpty()) {
            started.primary()
                    .pid()
                    .ifPresent(pid -> out.accept(
                            "The end of the primary, after which a replica takes its place: kill -9 " + pid));
        }
    }

    private void showCache(String database, String console) {
        String read = "'SELECT title FROM notes WHERE id = 7'";
        out.accept("The cache is on. In another terminal, a read, the same again, what becomes of it, and the counts:");
        out.accept("  psql " + database + " -c " + read + " -c " + read + " -c "
                + read.replaceFirst("'", "'EXPLAIN (ROUTE) "));
        out.accept("  psql " + console + " -x -c 'SHOW CACHE'");
    }

    private static void refusePortInUse(int port, String option) {
        try {
            new ServerSocket(port, 1, InetAddress.getLoopbackAddress()).close();
        } catch (IOException e) {
            throw new ClusterException(
                    "Port " + port + " on " + EmbeddedPostgres.HOST + " cannot be used (" + Reasons.of(e)
                            + "); choose another with " + option + ".",
                    e);
        }
    }

    private void load(EmbeddedCluster started) {
        out.accept("loading the demo data");
        try {
            NotesDatabase.load(started.primary());
        } catch (SQLException e) {
            throw new ClusterException("The demo data cannot be loaded: " + e.getMessage() + ".", e);
        }
        started.awaitReplicas();
    }

    private static String url(EmbeddedPostgres server) {
        return url(server.host(), server.port(), NotesDatabase.NAME);
    }

    private static String url(String host, int port, String database) {
        return "postgres://" + NotesDatabase.USER + ":" + NotesDatabase.PASSWORD + "@" + host + ":" + port + "/"
                + database;
    }

    /** Returns when the demo has been closed. */
    public void awaitClosed() throws InterruptedException {
        closed.await();
    }

    /** Stops the proxy, then the servers; removes what was not to be kept. */
    @Override
    public synchronized void close() {
        if (closed.getCount() == 0) {
            return;
        }
        try {
            if (proxy != null) {
                proxy.close();
            }
        } catch (Exception e) {
            out.accept("the proxy did not stop cleanly: " + e.getMessage());
        } finally {
            if (redis != null) {
                redis.close();
            }
            if (cluster != null) {
                cluster.close();
            }
            closed.countDown();
        }
    }
}
