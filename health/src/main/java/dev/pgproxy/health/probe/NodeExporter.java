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

/** How busy the machine of a host is, from its node_exporter. Confined to its thread. */
public final class NodeExporter {
    /** More than any exporter has to say. */
    private static final long MOST_BYTES = 8 << 20;

    private static final String CPU = "?collect%5B%5D=cpu";
    private static final String ALL = CPU + "&collect%5B%5D=meminfo&collect%5B%5D=filesystem";
    /** The answer to who asks for a collector that has been switched off. */
    private static final int BAD_REQUEST = 400;

    private final HttpClient client;
    private final URI address;
    private final Duration timeout;
    private String query;
    private @Nullable CpuSeconds before;

    /** Asks for CPU, memory and file systems alone, unless the address has a query of its own. */
    public NodeExporter(HttpClient client, URI address, Duration timeout) {
        this.client = client;
        this.address = address;
        this.timeout = timeout;
        this.query = address.getRawQuery() == null ? ALL : "";
    }

    /** What is in use; CPUs since the last call. Waits. */
    public MachineLoad load() throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create(address + query))
                .timeout(timeout)
                .build();
        var answer = client.send(request, HttpResponse.BodyHandlers.ofInputStream());
        NodeMetrics metrics = new NodeMetrics();
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(answer.body(), StandardCharsets.UTF_8))) {
            if (answer.statusCode() != 200) {
                query = answer.statusCode() == BAD_REQUEST && query.equals(ALL) ? CPU : query;
                throw new IOException("status " + answer.statusCode());
            }
            long size = 0;
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                size += line.length();
                if (size > MOST_BYTES) {
                    throw new IOException("more than " + MOST_BYTES + " bytes of metrics");
                }
                metrics.line(line);
            }
        }
        double used = before == null ? -1 : metrics.cpu().usedSince(before);
        before = metrics.cpu();
        return new MachineLoad(used < 0 ? null : used, metrics.memory(), metrics.disk());
    }
}
