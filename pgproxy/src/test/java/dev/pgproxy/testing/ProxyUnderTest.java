package dev.pgproxy.testing;

import dev.pgproxy.PgProxy;
import dev.pgproxy.config.ConfigLoader;
import dev.pgproxy.config.ConfigProblems;
import dev.pgproxy.demo.EmbeddedPostgres;
import java.io.IOException;

/**
 * What the protocol scenarios need: an address of the proxy and the address of the PostgreSQL behind it, where the same
 * user exists with the same password. The user is a superuser and the server has {@code max_connections >= 300} and
 * {@code max_prepared_transactions > 0}. Thread-safe.
 */
public interface ProxyUnderTest {

    String host();

    int port();

    String database();

    String user();

    String password();

    String directHost();

    int directPort();

    default Endpoint proxied() {
        return new Endpoint(host(), port(), database(), user(), password());
    }

    default Endpoint direct() {
        return new Endpoint(directHost(), directPort(), database(), user(), password());
    }

    /** The one of this JVM, started at first use. */
    static ProxyUnderTest shared() {
        return Shared.INSTANCE;
    }

    /** A proxy of this JVM, in transaction mode over a single server's pool unless a test says otherwise. */
    record InThisJvm(PgProxy proxy, ServerAddress server, String database) implements ProxyUnderTest {
        @Override
        public String host() {
            return "127.0.0.1";
        }

        @Override
        public int port() {
            return proxy.port();
        }

        @Override
        public String user() {
            return EmbeddedPostgres.SUPERUSER;
        }

        @Override
        public String password() {
            return TestCluster.PASSWORD;
        }

        @Override
        public String directHost() {
            return server.host();
        }

        @Override
        public int directPort() {
            return server.port();
        }
    }

    /** The configuration of {@link #with}: on a busy machine no client is told that it waits for a server. */
    static String settings(String settings) {
        return "listen_port = 0\nhttp_addr = []\nquery_wait_notify = 0\nadmin_users = [postgres]\nlog_connections = false\nlog_disconnections = false\n"
                + "databases { \"*\" { primary = \"" + TestCluster.server() + "\""
                + (TestCluster.hasReplicas() ? ", " + TestCluster.replicasOf(TestCluster.single()) : "")
                + " } }\n"
                + (TestCluster.hasReplicas() ? TestCluster.watching(TestCluster.single()) : "")
                + "users { \"" + EmbeddedPostgres.SUPERUSER + "\" { password = \"" + TestCluster.PASSWORD
                + "\" } }\n"
                + "auth_user = postgres\nauth_dbname = postgres\n"
                + settings;
    }

    /** A proxy before {@link TestCluster#server()} with further settings, which win over the usual ones. */
    static InThisJvm with(String settings) {
        ServerAddress server = TestCluster.server();
        try {
            return new InThisJvm(
                    PgProxy.start(ConfigLoader.parse(settings(settings))), server, TestCluster.freshDatabase(server));
        } catch (ConfigProblems | IOException e) {
            throw new AssertionError(e);
        }
    }

    /** Holder of the shared instance. */
    final class Shared {
        private static final ProxyUnderTest INSTANCE = with(System.getProperty("proxy.settings", ""));

        private Shared() {}
    }
}
