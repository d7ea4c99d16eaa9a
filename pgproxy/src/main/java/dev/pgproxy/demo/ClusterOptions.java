package dev.pgproxy.demo;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What kind of cluster to start. Immutable.
 *
 * @param directory where the data directories go, or null for a temporary one
 * @param keep whether the cluster survives {@link EmbeddedCluster#close}; one that was there before always does
 * @param replicas number of streaming replicas, 0 or more
 * @param port of the primary, the replicas take the next ones; 0 for any that are free
 * @param password of the superuser, or null for a random one (remembered in the directory)
 * @param settings lines for {@code postgresql.conf} of every server, over {@link EmbeddedCluster}'s own
 */
public record ClusterOptions(
        @Nullable Path directory,
        boolean keep,
        int replicas,
        int port,
        @Nullable String password,
        Map<String, String> settings) {
    public ClusterOptions {
        if (replicas < 0 || port < 0 || port > 65535) {
            throw new IllegalArgumentException("replicas " + replicas + ", port " + port);
        }
        settings = Map.copyOf(settings);
    }

    /** A primary alone, in a temporary directory, on a free port. */
    public static ClusterOptions temporary() {
        return new ClusterOptions(null, false, 0, 0, null, Map.of());
    }

    public ClusterOptions withDirectory(@Nullable Path newDirectory, boolean newKeep) {
        return new ClusterOptions(newDirectory, newKeep, replicas, port, password, settings);
    }

    public ClusterOptions withReplicas(int newReplicas) {
        return new ClusterOptions(directory, keep, newReplicas, port, password, settings);
    }

    public ClusterOptions withPort(int newPort) {
        return new ClusterOptions(directory, keep, replicas, newPort, password, settings);
    }

    public ClusterOptions withPassword(String newPassword) {
        return new ClusterOptions(directory, keep, replicas, port, newPassword, settings);
    }

    /** Adds one setting, for example {@code ssl_cert_file}. */
    public ClusterOptions withSetting(String name, String value) {
        Map<String, String> more = new LinkedHashMap<>(settings);
        more.put(name, value);
        return new ClusterOptions(directory, keep, replicas, port, password, more);
    }

    /** Without the password. */
    @Override
    public String toString() {
        return "ClusterOptions[directory=" + directory + ", keep=" + keep + ", replicas=" + replicas + ", port=" + port
                + ", settings=" + settings + "]";
    }
}
