package dev.pgproxy.testing;

import dev.pgproxy.demo.EmbeddedPostgres;

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

    /** Until a proxy stands between, both addresses are PostgreSQL's own, which shows that the scenarios are right. */
    record DirectOnly(String host, int port, String database, String user, String password) implements ProxyUnderTest {
        @Override
        public String directHost() {
            return host;
        }

        @Override
        public int directPort() {
            return port;
        }
    }

    /** Holder of the shared instance. */
    final class Shared {
        private static final ProxyUnderTest INSTANCE = start();

        private Shared() {}

        private static ProxyUnderTest start() {
            EmbeddedPostgres server = TestCluster.primary();
            return new DirectOnly(
                    server.host(),
                    server.port(),
                    TestCluster.freshDatabase(),
                    EmbeddedPostgres.SUPERUSER,
                    TestCluster.PASSWORD);
        }
    }
}
