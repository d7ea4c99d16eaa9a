package dev.pgproxy.testing;

import static org.awaitility.Awaitility.await;

import dev.pgproxy.Main;
import dev.pgproxy.demo.EmbeddedPostgres;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** {@code pgproxy} in a JVM of its own, before {@link TestCluster#primary()}; for signals and exit codes. Thread-safe. */
public final class ProxyProcess implements AutoCloseable {
    private static final Pattern LISTENING = Pattern.compile("listening on 127\\.0\\.0\\.1:(\\d+)");

    private final Process process;
    private final List<String> lines = new CopyOnWriteArrayList<>();
    private final Thread reader;

    private ProxyProcess(List<String> ofJava, List<String> arguments) throws IOException {
        this(command(ofJava, arguments), Map.of("_JAVA_SR_SIGNUM", "40"));
    }

    private ProxyProcess(List<String> command, Map<String, String> environment) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().putAll(environment);
        process = builder.start();
        reader = Thread.ofPlatform().daemon().start(this::read);
    }

    private static List<String> command(List<String> ofJava, List<String> arguments) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx128m",
                "-XX:+UseSerialGC",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName()));
        command.addAll(1, ofJava);
        command.addAll(arguments);
        return command;
    }

    private void read() {
        try (BufferedReader in =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            in.lines().forEach(lines::add);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The usual settings for a file, with further ones. */
    public static String settings(String more) {
        EmbeddedPostgres server = TestCluster.primary();
        return "listen_port = 0\nhttp_addr = []\nadmin_users = [postgres]\n"
                + "databases { \"*\" { primary = \"" + server.host() + ":" + server.port() + "\" } }\n"
                + "users { postgres { password = \"" + TestCluster.PASSWORD + "\" } }\n"
                + more;
    }

    /** {@code run -c file}, when it listens. */
    public static ProxyProcess run(Path file, String settings) {
        return run(file, settings, List.of());
    }

    /** The same, with further options of Java. */
    public static ProxyProcess run(Path file, String settings, List<String> ofJava) {
        try {
            Files.writeString(file, settings(settings));
            ProxyProcess started = new ProxyProcess(ofJava, List.of("run", "-c", file.toString()));
            started.awaitLine("listening on");
            return started;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Any command line. */
    public static ProxyProcess start(String... arguments) {
        try {
            return new ProxyProcess(List.of(), List.of(arguments));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** {@code bin/pgproxy} of an archive, with the JDK of the tests. */
    public static ProxyProcess launch(Path launcher, Map<String, String> environment, String... arguments) {
        List<String> command = new ArrayList<>(List.of(launcher.toString()));
        command.addAll(List.of(arguments));
        Map<String, String> all = new HashMap<>(environment);
        all.put("JAVA_HOME", System.getProperty("java.home"));
        try {
            return new ProxyProcess(command, all);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Waits for a line with this text. */
    public String awaitLine(String part) {
        await("a line with " + part)
                .atMost(Duration.ofSeconds(60))
                .until(() -> lines.stream().anyMatch(line -> line.contains(part)));
        return lines.stream().filter(line -> line.contains(part)).findFirst().orElseThrow();
    }

    /** What it has written. */
    public List<String> lines() {
        return List.copyOf(lines);
    }

    /** Where it listens. */
    public Endpoint endpoint(String database) {
        Matcher port = LISTENING.matcher(awaitLine("listening on"));
        if (!port.find()) {
            throw new AssertionError(lines);
        }
        return new Endpoint("127.0.0.1", Integer.parseInt(port.group(1)), database, "postgres", TestCluster.PASSWORD);
    }

    /** Sends a signal, such as {@code TERM}. */
    public void signal(String name) {
        try {
            int exit = new ProcessBuilder("kill", "-" + name, Long.toString(process.pid()))
                    .inheritIO()
                    .start()
                    .waitFor();
            if (exit != 0) {
                throw new AssertionError("kill -" + name + " ended with " + exit);
            }
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** Whether it runs. */
    public boolean isAlive() {
        return process.isAlive();
    }

    /** Waits for its end. */
    public int exitCode() {
        try {
            if (!process.waitFor(60, TimeUnit.SECONDS)) {
                throw new AssertionError("still running: " + lines);
            }
            reader.join();
            return process.exitValue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
