package dev.pgproxy.testing;

import dev.pgproxy.demo.ClusterOptions;
import dev.pgproxy.demo.EmbeddedCluster;
import dev.pgproxy.demo.EmbeddedPostgres;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;

/**
 * A PostgreSQL with TLS and a unix socket, whose pg_hba.conf asks for another proof in each of its databases: one per JVM.
 * Its certificate is {@link TestCertificates#shared}'s for 127.0.0.1, not for localhost.
 */
public final class SecurePostgres {
    /** As the databases are named, so they ask. */
    private static final String RULES = """
            host      all           postgres  all  scram-sha-256
            local     all           all            scram-sha-256
            hostnossl only_plain    all       all  scram-sha-256
            hostssl   only_tls      all       all  scram-sha-256
            host      by_md5        all       all  md5
            host      by_password   all       all  password
            host      by_trust      all       all  trust
            hostssl   by_cert       all       all  cert
            host      by_scram      all       all  scram-sha-256
            """;

    private static @Nullable EmbeddedPostgres server;

    private SecurePostgres() {}

    /** The server, started at first use. */
    public static synchronized EmbeddedPostgres shared() {
        EmbeddedPostgres made = server == null ? start() : server;
        server = made;
        return made;
    }

    private static EmbeddedPostgres start() {
        EmbeddedCluster cluster = EmbeddedCluster.start(
                ClusterOptions.temporary().withReplicas(0).withPassword(TestCluster.PASSWORD), line -> {});
        Runtime.getRuntime().addShutdownHook(new Thread(cluster::close, "secure-postgres-close"));
        EmbeddedPostgres made = cluster.primary();
        try {
            show(made, TestCertificates.shared().issue("database server", "ip:127.0.0.1"));
            put(made, TestCertificates.shared().authority(), "ca.crt");
            Files.writeString(made.dataDirectory().resolve("pg_hba.conf"), RULES);
            for (String sql : List.of(
                    "ALTER SYSTEM SET ssl = on",
                    "ALTER SYSTEM SET ssl_ca_file = 'ca.crt'",
                    "ALTER SYSTEM SET unix_socket_directories = '.'",
                    "CREATE DATABASE only_plain",
                    "CREATE DATABASE only_tls",
                    "CREATE DATABASE by_md5",
                    "CREATE DATABASE by_password",
                    "CREATE DATABASE by_trust",
                    "CREATE DATABASE by_cert",
                    "CREATE DATABASE by_scram")) {
                TestCluster.execute(made, sql);
            }
            made.restart();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        return made;
    }

    /** What a server shows from its next start, or reload, on. */
    public static void show(EmbeddedPostgres to, TestCertificates.Issued certificate) throws IOException {
        put(to, certificate.certificate(), "server.crt");
        put(to, certificate.key(), "server.key");
    }

    private static void put(EmbeddedPostgres to, Path file, String name) throws IOException {
        Path copy = to.dataDirectory().resolve(name);
        Files.copy(file, copy, StandardCopyOption.REPLACE_EXISTING);
        Files.setPosixFilePermissions(copy, PosixFilePermissions.fromString("rw-------"));
        Files.setOwner(copy, Files.getOwner(to.dataDirectory()));
    }

    /** What pg_authid stores for a role. */
    public static String stored(EmbeddedPostgres at, String role) {
        return single(at, "SELECT rolpassword FROM pg_authid WHERE rolname = '" + role + "'");
    }

    /** The first value of the first row. */
    public static String single(EmbeddedPostgres at, String sql) {
        try (Connection connection = at.connect("postgres");
                Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(sql)) {
            result.next();
            return String.valueOf(result.getString(1));
        } catch (SQLException e) {
            throw new AssertionError(sql, e);
        }
    }

    /** Waits until a query as the superuser gives this value. */
    public static void await(EmbeddedPostgres at, String sql, String value) {
        Awaitility.await().until(() -> single(at, sql), value::equals);
    }
}
