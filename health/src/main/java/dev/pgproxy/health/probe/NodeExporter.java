package dev.pgproxy.health.probe;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How busy a host's CPUs are, from its node_exporter. Confined to its thread. Source: the Prometheus text format,
 * {@code node_cpu_seconds_total{cpu="0",mode="idle"} 123.4}.
 */
public final class NodeExporter {
    private static final String METRIC = "node_cpu_seconds_total{";
    /** More than any exporter has to say. */
    private static final long MOST_BYTES = 8 << 20;

    private final HttpClient client;
    private final HttpRequest request;
    private @Nullable Seconds before;

    /** Seconds of all CPUs since the host started. */
    record Seconds(double idle, double all) {
        static final Seconds NONE = new Seconds(0, 0);

        /** With one more line of the answer. */
        Seconds with(String line) {
            if (!line.startsWith(METRIC)) {
                return this;
            }
            int labelsEnd = line.indexOf('}');
            if (labelsEnd < 0) {
                return this;
            }
            String labels = line.substring(0, labelsEnd);
            String value = line.substring(labelsEnd + 1).strip();
            int space = value.indexOf(' '); // a time stamp may follow
            double seconds;
            try {
                seconds = Double.parseDouble(space < 0 ? value : value.substring(0, space));
            } catch (NumberFormatException e) {
                return this;
            }
            boolean isIdle = labels.contains("mode=\"idle\"") || labels.contains("mode=\"iowait\"");
            return new Seconds(isIdle ? idle + seconds : idle, all + seconds);
        }

        /** The share of time that was not idle since an earlier moment; negative if no time passed or the host restarted. */
        double usedSince(Seconds earlier) {
            double passed = all - earlier.all;
            return passed <= 0 ? -1 : Math.clamp(1 - (idle - earlier.idle) / passed, 0, 1);
        }
    }

    /** Asks for CPU metrics alone, unless the address has a query of its own. */
    public NodeExporter(HttpClient client, URI address, Duration timeout) {
        this.client = client;
        URI asked = address.getRawQuery() == null ? URI.create(address + "?collect%5B%5D=cpu") : address;
        this.request = HttpRequest.newBuilder(asked).timeout(timeout).build();
    }

    /** The share of all CPUs in use since the last call, 0 to 1; negative if it cannot be told yet. Waits. */
    public double used() throws IOException, InterruptedException {
        var answer = client.send(request, HttpResponse.BodyHandlers.ofInputStream());
        Seconds now = Seconds.NONE;
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(answer.body(), StandardCharsets.UTF_8))) {
            if (answer.statusCode() != 200) {
                throw new IOException("status " + answer.statusCode());
            }
            long size = 0;
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                size += line.length();
                if (size > MOST_BYTES) {
                    throw new IOException("more than " + MOST_BYTES + " bytes of metrics");
                }
                now = now.with(line);
            }
        }
        double used = before == null ? -1 : now.usedSince(before);
        before = now;
        return used;
    }
}
