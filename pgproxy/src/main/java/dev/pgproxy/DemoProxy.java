package dev.pgproxy;

import dev.pgproxy.config.ConfigLoader;
import dev.pgproxy.demo.EmbeddedCluster;
import dev.pgproxy.demo.EmbeddedPostgres;
import dev.pgproxy.demo.NotesDatabase;
import dev.pgproxy.demo.ProxyStarter;
import java.util.stream.Collectors;

/** The proxy of the demo: user demo, password demo, who is also admin of the console. */
final class DemoProxy implements ProxyStarter {
    @Override
    public AutoCloseable start(String host, int port, EmbeddedCluster cluster) throws Exception {
        String config = "listen_addr = [\"" + host + "\"]\nlisten_port = " + port + "\n"
                + "databases { \"*\" { primary = \"" + cluster.primary().host() + ":"
                + cluster.primary().port() + "\", replicas = [" + replicas(cluster) + "] } }\n"
                + "control_user = \"" + EmbeddedPostgres.SUPERUSER + "\"\n"
                + "control_password = \"" + cluster.primary().superuserPassword() + "\"\n"
                + "users { \"" + NotesDatabase.USER + "\" { password = \"" + NotesDatabase.PASSWORD + "\" } }\n"
                + "admin_users = [\"" + NotesDatabase.USER + "\"]\n";
        PgProxy proxy = PgProxy.start(ConfigLoader.parse(config));
        // SHUTDOWN in the console ends the whole demo, whose own end also stops the proxy
        proxy.stopped().thenRun(() -> new Thread(() -> System.exit(0), "demo-exit").start());
        return proxy;
    }

    private static String replicas(EmbeddedCluster cluster) {
        return cluster.replicas().stream()
                .map(replica -> "\"" + replica.host() + ":" + replica.port() + "\"")
                .collect(Collectors.joining(", "));
    }
}
