package dev.pgproxy;

import dev.pgproxy.config.ConfigLoader;
import dev.pgproxy.config.ConfigProblems;
import dev.pgproxy.console.ShutdownMode;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.HttpURLConnection;
import java.net.URI;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/**
 * {@code pgproxy prepare}: starts a proxy of no databases at a free port, asks it a few things and ends, while the JVM watches
 * which classes that takes. What it keeps of them makes later starts faster; {@code bin/pgproxy} says where. Confined to the
 * thread that runs it.
 */
@Command(
        name = "prepare",
        description = "Makes later starts faster: keeps the classes that a start needs beside the jars, for this JVM.",
        mixinStandardHelpOptions = true)
final class Prepare implements Callable<Integer> {
    private static final String USER = "prepare";

    /** Nobody logs in at the primary. */
    private static final String SETTINGS = """
            listen_addr = ["127.0.0.1"]
            listen_port = 0
            http_addr = ["127.0.0.1"]
            http_port = 0
            log_level = warn
            admin_users = [prepare]
            databases { "*" { primary = "127.0.0.1:1" } }
            users { prepare { password = prepare } }
            """;

    @CommandLine.Spec
    private CommandLine.Model.@Nullable CommandSpec spec;

    @Override
    public Integer call() throws InterruptedException {
        PrintWriter err = Objects.requireNonNull(spec).commandLine().getErr();
        try {
            PgProxy proxy = PgProxy.start(ConfigLoader.parse(SETTINGS));
            CountDownLatch stopped = new CountDownLatch(1);
            proxy.stopped().thenRun(stopped::countDown);
            try {
                askConsole(proxy.port());
                askHealth(proxy.httpPort());
            } finally {
                proxy.shutdown(ShutdownMode.IMMEDIATE);
                stopped.await();
            }
            return 0;
        } catch (ConfigProblems | IOException | SQLException e) {
            err.println("pgproxy: cannot prepare: " + e.getMessage());
            return Main.FAILED;
        }
    }

    private static void askConsole(int port) throws SQLException {
        String url = "jdbc:postgresql://127.0.0.1:" + port + "/pgproxy?sslmode=disable&preferQueryMode=simple";
        try (Connection console = DriverManager.getConnection(url, USER, USER);
                Statement statement = console.createStatement()) {
            statement.execute("SHOW POOLS");
        }
    }

    private static void askHealth(int port) throws IOException {
        HttpURLConnection live = (HttpURLConnection)
                URI.create("http://127.0.0.1:" + port + "/health/live").toURL().openConnection();
        if (live.getResponseCode() != HttpURLConnection.HTTP_OK) {
            throw new IOException("/health/live says " + live.getResponseCode());
        }
    }
}
