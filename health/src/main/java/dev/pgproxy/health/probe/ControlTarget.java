package dev.pgproxy.health.probe;

import dev.pgproxy.routing.Host;
import java.net.URI;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Where and as whom a host is asked about itself. The role needs {@code pg_monitor}: without it a replica does not tell its
 * timeline and is never known to be fresh. Immutable.
 *
 * @param host which
 * @param hostName name or address
 * @param database any that the role may connect to
 * @param password asked for at each login
 * @param properties further ones of pgjdbc, such as sslmode and sslrootcert
 * @param nodeExporter address of the metrics of the host's node_exporter; null for none, then its CPU is not known
 */
public record ControlTarget(
        Host host,
        String hostName,
        int port,
        String database,
        String user,
        Supplier<String> password,
        Map<String, String> properties,
        @Nullable URI nodeExporter) {
    public ControlTarget {
        properties = Map.copyOf(properties);
    }

    /** Without anything secret: properties may hold the password of a key. */
    @Override
    public String toString() {
        return user + "@" + hostName + ":" + port + "/" + database;
    }
}
