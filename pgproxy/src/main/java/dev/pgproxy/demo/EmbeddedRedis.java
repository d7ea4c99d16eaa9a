package dev.pgproxy.demo;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A Redis of the demo's own, with a password and without persistence, where its program runs: it comes from the class path
 * (the jar {@code com.github.codemonstur:embedded-redis}). Thread-safe.
 */
public final class EmbeddedRedis implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(5);
    private static final String PROGRAM = "redis-server";

    private final WatchedProcess server;
    private final Path directory;
    private final int port;
    private final String password;

    private EmbeddedRedis(Path directory, int port, String password) throws IOException {
        this.directory = directory;
        this.port = port;
        this.password = password;
        Path settings = directory.resolve("redis.conf");
        Files.writeString(
                settings,
                "port " + port + "\nbind " + EmbeddedPostgres.HOST + "\nrequirepass " + password
                        + "\nsave \"\"\nappendonly no\ndir \"" + directory + "\"\n");
        this.server = WatchedProcess.start(
                ServerAccount.CURRENT,
                directory,
                List.of(directory.resolve(PROGRAM).toString(), settings.toString()),
                directory.resolve("log"));
    }

    /**
     * Starts it.
     *
     * @param out is told where it is, or why there is none
     * @return null where it does not run
     */
    static @Nullable EmbeddedRedis start(Consumer<String> out) {
        String resource = resourceName(System.getProperty("os.name"), System.getProperty("os.arch"));
        try (InputStream program = EmbeddedRedis.class.getResourceAsStream(resource)) {
            if (program == null) {
                out.accept("no Redis: there is none for this platform");
                return null;
            }
            Path directory = Files.createTempDirectory("pgproxy-redis-"); // nobody else can look into it
            try {
                EmbeddedRedis redis = start(program, directory);
                if (redis != null) {
                    out.accept("redis: " + EmbeddedPostgres.HOST + ":" + redis.port);
                    return redis;
                }
                out.accept("no Redis: its program does not run here");
            } catch (IOException e) {
                out.accept("no Redis: " + Reasons.of(e));
            }
            Trees.delete(directory);
        } catch (IOException e) {
            out.accept("no Redis: " + Reasons.of(e));
        }
        return null;
    }

    private static @Nullable EmbeddedRedis start(InputStream program, Path directory) throws IOException {
        Path file = directory.resolve(PROGRAM);
        Files.copy(program, file);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwx------"));
        int free;
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            free = socket.getLocalPort();
        }
        byte[] random = new byte[16];
        new SecureRandom().nextBytes(random);
        EmbeddedRedis redis = new EmbeddedRedis(directory, free, HexFormat.of().formatHex(random));
        if (redis.answers()) {
            return redis;
        }
        redis.stop();
        return null;
    }

    /** The name that the jar uses for a platform. */
    static String resourceName(String os, String arch) {
        boolean mac = os.toLowerCase(Locale.ROOT).startsWith("mac");
        boolean arm = arch.equals("aarch64") || arch.equals("arm64");
        if (mac) {
            return "/redis-server-6.2.6-v5-darwin-" + (arm ? "arm64" : "amd64");
        }
        return arm ? "/redis-server-6.2.7-linux-arm64" : "/redis-server-6.2.6-v5-linux-amd64";
    }

    private boolean answers() {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (server.isAlive() && System.nanoTime() - deadline < 0) {
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
                socket.setSoTimeout((int) PATIENCE.toMillis());
                socket.getOutputStream().write(("AUTH " + password + "\r\n").getBytes(StandardCharsets.US_ASCII));
                byte[] answer = socket.getInputStream().readNBytes(3);
                return new String(answer, StandardCharsets.US_ASCII).equals("+OK");
            } catch (IOException e) {
                server.awaitExit(Duration.ofMillis(20)); // it has not opened its port yet
            }
        }
        return false;
    }

    /** Where it is, without the password. */
    public String url() {
        return "redis://" + EmbeddedPostgres.HOST + ":" + port;
    }

    /** Without which it answers nobody. */
    public String password() {
        return password;
    }

    private void stop() {
        server.signal("TERM");
        server.awaitExit(PATIENCE);
    }

    @Override
    public void close() {
        stop();
        try {
            Trees.delete(directory);
        } catch (IOException e) {
            throw new ClusterException("The directory " + directory + " cannot be removed: " + Reasons.of(e) + ".", e);
        }
    }
}
