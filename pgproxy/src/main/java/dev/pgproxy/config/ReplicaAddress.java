package dev.pgproxy.config;

import java.net.URI;
import java.net.URISyntaxException;
import org.jspecify.annotations.Nullable;

/**
 * A replica: where it listens, and its share of reads. Immutable. As text: an address, then {@code weight=3} or
 * {@code node_exporter=http://host:9100/metrics} behind spaces, in any order.
 *
 * @param address where it listens
 * @param weight its share of reads against that of other replicas, 0 to {@link #MAX_WEIGHT}; 0 = none
 * @param nodeExporter where the host's load is read; null = it is not known
 */
public record ReplicaAddress(
        HostAddress address, int weight, @Nullable URI nodeExporter) {
    /** The largest weight. */
    public static final int MAX_WEIGHT = 1000;

    public ReplicaAddress {
        if (weight < 0 || weight > MAX_WEIGHT) {
            throw new IllegalArgumentException("a weight is between 0 and " + MAX_WEIGHT);
        }
    }

    /** A replica with the usual weight. */
    public ReplicaAddress(HostAddress address) {
        this(address, 1, null);
    }

    /** Reads the text form. Throws IllegalArgumentException saying what is wrong. */
    static ReplicaAddress parse(String text) {
        String[] parts = text.strip().split("\\s+", -1);
        int weight = 1;
        URI metrics = null;
        for (int i = 1; i < parts.length; i++) {
            int equals = parts[i].indexOf('=');
            String key = equals < 0 ? parts[i] : parts[i].substring(0, equals);
            String value = equals < 0 ? "" : parts[i].substring(equals + 1);
            switch (key) {
                case "weight" -> weight = number(value);
                case "node_exporter" -> metrics = url(value);
                default ->
                    throw new IllegalArgumentException(
                            "'" + key + "' is not known here; there are weight, node_exporter");
            }
        }
        return new ReplicaAddress(HostAddress.parse(parts[0]), weight, metrics);
    }

    private static int number(String text) {
        try {
            return Integer.parseInt(text);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("a weight is a number between 0 and " + MAX_WEIGHT, e);
        }
    }

    private static URI url(String text) {
        try {
            URI url = new URI(text);
            if (url.getHost() != null && ("http".equals(url.getScheme()) || "https".equals(url.getScheme()))) {
                return url;
            }
        } catch (URISyntaxException e) {
            throw new IllegalArgumentException("node_exporter is a URL such as http://host:9100/metrics", e);
        }
        throw new IllegalArgumentException("node_exporter is a URL such as http://host:9100/metrics");
    }

    @Override
    public String toString() {
        return address
                + (weight == 1 ? "" : " weight=" + weight)
                + (nodeExporter == null ? "" : " node_exporter=" + nodeExporter);
    }
}
