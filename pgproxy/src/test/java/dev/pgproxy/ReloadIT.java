package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.config.ConfigLoader;
import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.ProxyProcess;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.TestCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** RELOAD: what can change does, what cannot is listed, and a bad file changes nothing. */
final class ReloadIT {
    @TempDir
    private Path directory;

    private Path file;
    private PgProxy proxy;

    @BeforeEach
    void start() throws Exception {
        file = directory.resolve("pgproxy.conf");
        Files.writeString(directory.resolve("users.txt"), "");
        write("default_pool_size = 3");
        PgProxy.ConfigReader reader = () -> ConfigLoader.load(file, Map.of());
        proxy = PgProxy.start(reader.read(), reader);
    }

    @AfterEach
    void stop() {
        proxy.close();
    }

    private void write(String more) throws IOException {
        Files.writeString(file, ProxyProcess.settings("auth_file = users.txt\n" + more));
    }

    private Endpoint as(String user, String password, String database) {
        return new Endpoint("127.0.0.1", proxy.port(), database, user, password);
    }

    private List<Message> console(String command) {
        try (RawClient client = as("postgres", TestCluster.PASSWORD, "pgproxy").login()) {
            return client.query(command).readUntilReady();
        }
    }

    @Test
    void whatCanChangeChangesAndTheRestIsListed() throws Exception {
        write("default_pool_size = 7\nlisten_backlog = 77\nthreads = 3");

        List<Message> answer = console("RELOAD");

        assertThat(Message.types(answer)).isEqualTo("NNCZ");
        assertThat(answer.get(0).field('M')).isEqualTo("listen_backlog stays \"1024\" until pgproxy is restarted");
        assertThat(answer.get(0).field('H')).isEqualTo("The file now says \"77\".");
        assertThat(answer.get(1).field('M')).startsWith("threads stays \"0\"");
        assertThat(proxy.config().pool().defaultPoolSize()).isEqualTo(7);
        assertThat(proxy.config().listen().listenBacklog()).isEqualTo(1024);
        assertThat(Message.types(console("RELOAD"))).isEqualTo("NNCZ");
    }

    @Test
    void aBadFileChangesNothingAndEveryProblemIsNamed() throws Exception {
        write("default_pool_size = 8\npool_modee = session\nquery_timeout = long");

        Message error = console("RELOAD").get(0);

        assertThat(error.field('C')).isEqualTo("F0000");
        assertThat(error.field('M')).isEqualTo("RELOAD failed, nothing has changed");
        assertThat(error.field('D')).contains("did you mean 'pool_mode'?", "query_timeout: expects a duration");
        assertThat(proxy.config().pool().defaultPoolSize()).isEqualTo(3);
    }

    @Test
    void aBadUserListChangesNothing() throws Exception {
        Files.writeString(directory.resolve("users.txt"), "\"unfinished\n");
        write("default_pool_size = 8");

        assertThat(console("RELOAD").get(0).field('D')).contains("users.txt:1");
        assertThat(proxy.config().pool().defaultPoolSize()).isEqualTo(3);
    }

    @Test
    void usersOfTheListGetInAfterReload() throws Exception {
        String role = TestCluster.freshRole("later");
        try (RawClient early = as(role, "later", "postgres").connect()) {
            assertThat(early.login(role, "later", "postgres").getLast().type()).isEqualTo('E');
        }
        Files.writeString(directory.resolve("users.txt"), "\"" + role + "\" \"later\"\n");

        assertThat(Message.types(console("RELOAD"))).isEqualTo("CZ");
        as(role, "later", "postgres").run("SELECT 1");
    }

    @Test
    void serversOfAChangedDatabaseAreReplaced() throws Exception {
        String database = TestCluster.freshDatabase();
        try (RawClient client = as("postgres", TestCluster.PASSWORD, database).login()) {
            assertThat(value(client, "SHOW work_mem")).isEqualTo("4MB");
            String host =
                    TestCluster.primary().host() + ":" + TestCluster.primary().port();
            write("databases { " + database + " { primary = \"" + host + "\", parameters { work_mem = \"5MB\" } } }");
            assertThat(Message.types(console("RELOAD"))).isEqualTo("CZ");

            await().untilAsserted(
                            () -> assertThat(value(client, "SHOW work_mem")).isEqualTo("5MB"));
        }
    }

    private static String value(RawClient client, String sql) {
        return client.query(sql).readUntilReady().get(1).values().get(0);
    }
}
