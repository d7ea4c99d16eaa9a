package dev.pgproxy.demo;

import org.jspecify.annotations.Nullable;

/** How the demo starts the proxy, which it does not know: the composition root passes it in. Called once, on the starting thread. */
@FunctionalInterface
public interface ProxyStarter {
    /**
     * Starts a proxy for database {@link NotesDatabase#NAME} that user {@link NotesDatabase#USER} may use, and whose console he may
     * use too; returns when it accepts connections.
     *
     * @param options say which ports are its own
     * @param redis for what the proxy shares with others; null where there is none
     * @return closes the proxy
     * @throws Exception if it cannot start; the demo stops its servers and passes the exception on
     */
    AutoCloseable start(String host, DemoOptions options, EmbeddedCluster cluster, @Nullable EmbeddedRedis redis)
            throws Exception;
}
