package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.demo.EmbeddedCluster;
import dev.pgproxy.testing.ProxyProcess;
import dev.pgproxy.testing.TestCluster;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** {@code pgproxy check}: says what is there, and what a person can do about it. */
final class CheckIT {
    @TempDir
    private Path directory;

    private record Outcome(int exit, String out, String err) {}

    private static Outcome check(String... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        int exit = new CommandLine(new Check())
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(err))
                .execute(arguments);
        return new Outcome(exit, out.toString(), err.toString());
    }

    private static String url(int port) {
        return "postgres://postgres:" + TestCluster.PASSWORD + "@127.0.0.1:" + port + "/postgres";
    }

    private Path file(String text) throws IOException {
        return Files.writeString(directory.resolve("pgproxy.conf"), text);
    }

    @Test
    void theTopologyIsPrinted() {
        EmbeddedCluster cluster = TestCluster.replicated();
        Outcome outcome = check(
                "--primary",
                url(cluster.primary().port()),
                "--replica",
                url(cluster.replicas().get(0).port()),
                "--replica",
                url(cluster.replicas().get(1).port()));

        assertThat(outcome.out())
                .contains("configuration: the command line is valid", "database postgres:", "database *:")
                .containsPattern("primary 127.0.0.1:\\d+: ok, PostgreSQL [\\d.]+, a primary, answered in \\d+ ms")
                .containsPattern("replica 127.0.0.1:\\d+: ok, PostgreSQL [\\d.]+, a replica, \\d+ bytes behind");
        assertThat(outcome.exit()).isZero();
    }

    @Test
    void swappedRolesAreFound() {
        EmbeddedCluster cluster = TestCluster.replicated();
        Outcome outcome = check(
                "--primary",
                url(cluster.replicas().get(0).port()),
                "--replica",
                url(cluster.primary().port()));

        assertThat(outcome.out())
                .contains("WRONG ROLE", "name the server that it replicates from as primary", "is not in recovery");
        assertThat(outcome.exit()).isEqualTo(1);
    }

    @Test
    void aServerThatIsNotThereIsNamedWithItsReason() {
        Outcome outcome = check("--primary", url(1));

        assertThat(outcome.out())
                .contains("primary 127.0.0.1:1: FAILED 08006 could not connect", "Is PostgreSQL running there");
        assertThat(outcome.exit()).isEqualTo(1);
    }

    @Test
    void withoutAPasswordTheServerIsReachableAndTheWayToKnowMoreIsTold() throws IOException {
        String settings = ProxyProcess.settings("").replaceFirst("\nusers .*", "");
        Outcome outcome = check("-c", file(settings).toString());

        assertThat(outcome.out()).contains("reachable, but no password is known", "set control_user");
        assertThat(outcome.exit()).isZero();
    }

    @Test
    void aWrongPasswordIsAFailure() throws IOException {
        String settings = ProxyProcess.settings("control_user = postgres\ncontrol_password = wrong\n");
        Outcome outcome = check("-c", file(settings).toString());

        assertThat(outcome.out()).contains("FAILED 28P01 password authentication failed");
        assertThat(outcome.exit()).isEqualTo(1);
    }

    @Test
    void aWrongConfigurationExitsWith78AndSaysWhere() throws IOException {
        Outcome outcome = check("-c", file("pool_modee = session\n").toString());

        assertThat(outcome.err()).contains("pgproxy.conf:1: unknown setting 'pool_modee'");
        assertThat(outcome.exit()).isEqualTo(78);
    }

    @Test
    void aBadUserListExitsWith78() throws IOException {
        Files.writeString(directory.resolve("users.txt"), "\"unfinished\n");
        Outcome outcome =
                check("-c", file(ProxyProcess.settings("auth_file = users.txt")).toString());

        assertThat(outcome.err()).contains("users.txt:1");
        assertThat(outcome.exit()).isEqualTo(78);
    }

    @Test
    void theProgramKnowsTheCommand() {
        try (ProxyProcess process = ProxyProcess.start("check", "--primary", url(1))) {
            assertThat(process.exitCode()).isEqualTo(1);
            assertThat(process.lines()).anyMatch(line -> line.contains("FAILED 08006"));
        }
    }
}
