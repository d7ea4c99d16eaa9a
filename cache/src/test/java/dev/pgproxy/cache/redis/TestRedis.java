package dev.pgproxy.cache.redis;

import io.lettuce.core.RedisClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import redis.embedded.RedisServer;

/** A real Redis on a free port, without persistence, that can be stopped, continued and restarted empty. */
public final class TestRedis implements AutoCloseable {
    private final int port;
    private RedisServer server;
    private long pid;

    public TestRedis() throws IOException {
        try (ServerSocket free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }
        server = started();
    }

    private RedisServer started() throws IOException {
        List<Long> before = children();
        RedisServer starting = RedisServer.newRedisServer()
                .port(port)
                .setting("bind 127.0.0.1")
                .setting("save \"\"")
                .setting("appendonly no")
                .build();
        starting.start();
        pid = children().stream()
                .filter(child -> !before.contains(child))
                .findFirst()
                .orElseThrow();
        return starting;
    }

    private static List<Long> children() {
        return ProcessHandle.current().children().map(ProcessHandle::pid).toList();
    }

    public int port() {
        return port;
    }

    RedisSettings settings() {
        return RedisSettings.of("redis://127.0.0.1:" + port);
    }

    /** How often a command has run, also within scripts. */
    public long calls(String command) {
        try (RedisClient client = RedisClient.create("redis://127.0.0.1:" + port)) {
            Matcher calls = Pattern.compile("cmdstat_" + command + ":calls=(\\d+)")
                    .matcher(client.connect().sync().info("commandstats"));
            return calls.find() ? Long.parseLong(calls.group(1)) : 0;
        }
    }

    /** Ends it, by SIGKILL, and all that it has. */
    public void kill() throws IOException {
        signal("-KILL");
        server.stop();
    }

    /** Starts it again, empty. */
    public void start() throws IOException {
        server = started();
    }

    /** Stops the process as it is: sockets stay open and nothing answers. */
    public void freeze() {
        signal("-STOP");
    }

    public void thaw() {
        signal("-CONT");
    }

    private void signal(String signal) {
        try {
            new ProcessBuilder("kill", signal, Long.toString(pid)).start().waitFor();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() throws IOException {
        signal("-CONT");
        server.stop();
    }
}
