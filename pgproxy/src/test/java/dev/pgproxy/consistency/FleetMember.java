package dev.pgproxy.consistency;

import dev.pgproxy.cache.redis.DelayingProxy;
import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.ProxyProcess;
import dev.pgproxy.testing.RawClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;

/** A proxy as a process, which reaches Redis by a wire of its own. Confined to one thread at a time. */
final class FleetMember implements AutoCloseable {
    private final DelayingProxy wire;
    private final Path file;
    private final Endpoint endpoint;
    private ProxyProcess process;

    FleetMember(Arena arena, String settings, DelayingProxy wire) throws IOException {
        this.wire = wire;
        this.file = Files.createTempFile("pgproxy-member", ".conf");
        int port = freePort();
        Endpoint primary = arena.primary();
        this.endpoint = new Endpoint("127.0.0.1", port, arena.database(), primary.user(), primary.password());
        Files.writeString(
                file,
                settings + "http_addr = []\nlisten_port = " + port
                        + "\nadmin_users = [postgres]\nredis_url = \"redis://127.0.0.1:" + wire.port()
                        + "\"\nredis_secret = \"no secret, but long enough\"\n");
        this.process = run();
    }

    /** None that the system gives to clients: while the proxy is down they would meet themselves there. */
    private static int freePort() throws IOException {
        while (true) {
            try (ServerSocket free =
                    new ServerSocket(ThreadLocalRandom.current().nextInt(15_000, 30_000))) {
                return free.getLocalPort();
            } catch (BindException taken) {
                // the next one may be free
            }
        }
    }

    private ProxyProcess run() {
        ProxyProcess started = ProxyProcess.start("run", "-c", file.toString());
        started.awaitLine("listening on");
        return started;
    }

    Endpoint endpoint() {
        return endpoint;
    }

    DelayingProxy wire() {
        return wire;
    }

    /** KILL, STOP, CONT. */
    void signal(String name) {
        process.signal(name);
    }

    /** Starts it again, where it has ended. */
    void startAgain() {
        process.exitCode();
        process = run();
    }

    /** Whether it answers from its cache. */
    boolean isServing() {
        try {
            List<List<String>> rows = console("SHOW INSTANCES");
            return !rows.isEmpty() && "yes".equals(rows.getFirst().get(2));
        } catch (RuntimeException | AssertionError e) {
            return false;
        }
    }

    List<List<String>> console(String command) {
        try (RawClient client = endpoint.withDatabase("pgproxy").login()) {
            return Message.rows(client.query(command).readUntilReady());
        }
    }

    /** What it has written that is more than the usual. */
    List<String> complaints() {
        return process.lines().stream()
                .filter(line -> line.contains("ERROR") || line.contains("internal"))
                .toList();
    }

    @Override
    public void close() {
        process.close();
        try {
            wire.close();
            Files.delete(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
