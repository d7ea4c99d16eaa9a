package dev.pgproxy.testing;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigParseOptions;
import com.typesafe.config.ConfigSyntax;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/** Takes what is posted to it, and keeps it. Thread-safe. */
public final class Webhook implements AutoCloseable {
    /** One request. Immutable. */
    public record Request(
            String path,
            String body,
            @Nullable String contentType,
            @Nullable String authorization,
            int status) {
        /** The body as an object of JSON. */
        public Config json() {
            return ConfigFactory.parseString(body, ConfigParseOptions.defaults().setSyntax(ConfigSyntax.JSON));
        }
    }

    private final HttpServer server;
    private final List<Request> requests = new CopyOnWriteArrayList<>();
    private final Deque<Integer> failures = new ConcurrentLinkedDeque<>();

    public Webhook() {
        try {
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        server.createContext("/", this::handle);
        server.start();
    }

    private void handle(HttpExchange exchange) throws IOException {
        int status = Objects.requireNonNullElse(failures.poll(), 202);
        String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
        requests.add(new Request(
                exchange.getRequestURI().getPath(),
                body,
                exchange.getRequestHeaders().getFirst("Content-Type"),
                exchange.getRequestHeaders().getFirst("Authorization"),
                status));
        exchange.sendResponseHeaders(status, -1);
        exchange.close();
    }

    /** The next requests get these answers instead of 202. */
    public void fail(Integer... statuses) {
        failures.addAll(List.of(statuses));
    }

    public String url(String path) {
        return "http://127.0.0.1:" + server.getAddress().getPort() + path;
    }

    public List<Request> requests() {
        return requests;
    }

    /** What has come so far. */
    public void forget() {
        requests.clear();
    }

    /** Those that were accepted. */
    public List<Request> accepted() {
        return requests.stream().filter(request -> request.status() == 202).toList();
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
