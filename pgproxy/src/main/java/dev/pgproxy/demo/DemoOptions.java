package dev.pgproxy.demo;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * The options of {@code pgproxy demo}. Immutable.
 *
 * @param port of the proxy on 127.0.0.1
 * @param httpPort of its page, metrics and health on 127.0.0.1; 0 = none
 * @param dataDirectory of the servers, or null for a temporary one
 * @param replicas number of streaming replicas, 0 or more
 * @param keep whether the servers' data survives the end, to be used by the next start with the same directory
 */
public record DemoOptions(int port, int httpPort, @Nullable Path dataDirectory, int replicas, boolean keep) {
    /** {@code --port} where it is not given: PgBouncer's. */
    public static final int DEFAULT_PORT = 6432;

    /** {@code --http} where it is not given. */
    public static final int DEFAULT_HTTP_PORT = 9127;

    /** {@code --replicas} where it is not given. */
    public static final int DEFAULT_REPLICAS = 2;
}
