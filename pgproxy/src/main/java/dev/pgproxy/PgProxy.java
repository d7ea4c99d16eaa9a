package dev.pgproxy;

import dev.pgproxy.auth.Authenticator;
import dev.pgproxy.auth.FileProblem;
import dev.pgproxy.auth.HbaRules;
import dev.pgproxy.auth.UserList;
import dev.pgproxy.auth.UserSecret;
import dev.pgproxy.auth.Users;
import dev.pgproxy.client.AuthQuery;
import dev.pgproxy.client.ClientConnection;
import dev.pgproxy.client.ClientListener;
import dev.pgproxy.client.ClientServices;
import dev.pgproxy.config.AuthSettings;
import dev.pgproxy.config.ProxyConfig;
import dev.pgproxy.net.ClientTls;
import dev.pgproxy.net.ServerTls;
import dev.pgproxy.net.Transport;
import dev.pgproxy.pool.Pools;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The composition root: puts the parts together, starts and stops them in order. Thread-safe. */
public final class PgProxy implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(PgProxy.class);

    private final Transport transport;
    private final Pools pools;
    private final ClientServices services;
    private final ClientListener listener;
    private final ExecutorService slow;
    private volatile ProxyConfig config;

    private PgProxy(ProxyConfig config) throws IOException {
        this.config = config;
        this.slow = Executors.newFixedThreadPool(
                1, Thread.ofPlatform().name("slow").daemon().factory());
        Users users = users(config);
        HbaRules hba = hba(config.auth());
        ClientTls clientTls = ClientTls.of(config.clientTls());
        ServerTls serverTls = ServerTls.of(config.serverTls());
        this.transport = new Transport(
                config.runtime(), config.listen(), config.timeouts().tcpUserTimeout());
        this.pools = new Pools(config, serverTls, transport);
        this.services = new ClientServices(config, clientTls, authenticator(config, users, hba), transport, pools);
        this.listener = new ClientListener(services, transport);
    }

    /**
     * Starts.
     *
     * @throws IOException if a file cannot be used or an address cannot be bound; the message says which
     */
    public static PgProxy start(ProxyConfig config) throws IOException {
        PgProxy proxy = new PgProxy(config);
        try {
            for (String where : proxy.listener.bind(config.listen())) {
                LOG.info(
                        "listening on {} ({}, {} event loops)",
                        where,
                        proxy.transport.kind(),
                        proxy.transport.loops().size());
            }
        } catch (IOException e) {
            proxy.close();
            throw e;
        }
        return proxy;
    }

    /** The TCP port it listens on; -1 if none. */
    public int port() {
        return listener.port();
    }

    /** The configuration in force. */
    public ProxyConfig config() {
        return config;
    }

    /** Pools, for the console. */
    public Pools pools() {
        return pools;
    }

    /** What clients are served by. */
    public ClientServices services() {
        return services;
    }

    /**
     * RELOAD with what can change.
     *
     * @throws IOException if a file cannot be used; nothing has changed then
     */
    public void reload(ProxyConfig changed) throws IOException {
        Authenticator authenticator = authenticator(changed, users(changed), hba(changed.auth()));
        ClientTls clientTls = ClientTls.of(changed.clientTls());
        ServerTls serverTls = ServerTls.of(changed.serverTls());
        config = changed;
        transport.reload(changed.listen(), changed.timeouts().tcpUserTimeout());
        pools.reload(changed, serverTls);
        services.reload(changed, clientTls, authenticator);
    }

    private Authenticator authenticator(ProxyConfig of, Users users, @Nullable HbaRules hba) {
        return new Authenticator(of.auth().authType(), users, hba, new AuthQuery(of, users, pools, transport), slow);
    }

    private static Users users(ProxyConfig config) throws IOException {
        Map<String, UserSecret> configured = new HashMap<>();
        config.users().forEach((name, user) -> {
            if (user.password() != null) {
                configured.put(name, UserSecret.parse(user.password().reveal()));
            }
        });
        Path file = config.auth().authFile();
        if (file == null) {
            return Users.of(configured, Map.of());
        }
        List<FileProblem> problems = new ArrayList<>();
        Map<String, UserSecret> listed = UserList.parse(file.toString(), read(file), problems);
        check(problems);
        return Users.of(configured, listed);
    }

    private static @Nullable HbaRules hba(AuthSettings auth) throws IOException {
        Path file = auth.authHbaFile();
        if (file == null) {
            return null;
        }
        List<FileProblem> problems = new ArrayList<>();
        HbaRules rules = HbaRules.parse(file.toString(), read(file), problems);
        check(problems);
        return rules;
    }

    private static void check(List<FileProblem> problems) throws IOException {
        if (!problems.isEmpty()) {
            throw new IOException(String.join(
                    System.lineSeparator(),
                    problems.stream().map(FileProblem::toString).toList()));
        }
    }

    private static String read(Path file) throws IOException {
        return Files.readString(file, StandardCharsets.UTF_8);
    }

    /** Stops at once: clients are told, servers are left. */
    @Override
    public void close() {
        listener.close();
        services.drain();
        for (ClientConnection client : services.clients().all()) {
            client.kill("terminating connection due to administrator command");
        }
        for (var pool : pools.all()) {
            pool.kill();
        }
        transport.close();
        slow.shutdownNow();
    }
}
