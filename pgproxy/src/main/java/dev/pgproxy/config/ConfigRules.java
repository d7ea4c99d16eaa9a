package dev.pgproxy.config;

import dev.pgproxy.routing.Consistency;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** What must hold between settings, and between settings and the machine. Confined to the thread that loads. */
final class ConfigRules {
    private final ProxyConfig config;
    private final SettingValues values;
    private final Place source;
    private final Complaints complaints;

    /** @param source where to point for settings that were not written anywhere */
    ConfigRules(ProxyConfig config, Place source, Complaints complaints) {
        this.config = config;
        this.values = config.values();
        this.source = source;
        this.complaints = complaints;
    }

    void check() {
        if (config.listen().listenAddr().isEmpty() && config.listen().unixSocketDir() == null) {
            complain(ListenSettings.LISTEN_ADDR, "is empty and there is no unix_socket_dir: nobody could connect");
        }
        if (config.pool().minPoolSize() > config.pool().defaultPoolSize()) {
            complain(PoolSettings.MIN_POOL_SIZE, "is more than default_pool_size");
        }
        checkFiles();
        checkClientTls();
        checkServerTls();
        checkAuthentication();
        checkInstances();
        checkHttp();
        checkQueryLog();
        checkHandover();
        checkFailover();
        checkPatroni();
        checkBreakers();
        checkWarmQueries();
        if (config.databases().isEmpty() && config.wildcard() == null) {
            complaints.add(source, "no database; add databases { \"*\" { primary = \"host:port\" } }");
        }
    }

    private void checkFiles() {
        List<Setting<Path>> files = List.of(
                AuthSettings.AUTH_FILE,
                AuthSettings.AUTH_HBA_FILE,
                AuthSettings.AUTH_IDENT_FILE,
                ClientTlsSettings.KEY_FILE,
                ClientTlsSettings.CERT_FILE,
                ClientTlsSettings.CA_FILE,
                ServerTlsSettings.KEY_FILE,
                ServerTlsSettings.CERT_FILE,
                ServerTlsSettings.CA_FILE);
        for (Setting<Path> setting : files) {
            require(setting, file -> Files.isRegularFile(file) && Files.isReadable(file), "is not a readable file");
        }
        require(ListenSettings.UNIX_SOCKET_DIR, Files::isDirectory, "is not a directory");
        for (Setting<Path> made :
                List.of(ListenSettings.HANDOVER_SOCKET, RuntimeSettings.PIDFILE, LogSettings.LOGFILE)) {
            require(made, file -> Files.isDirectory(file.resolveSibling(".")), "is in no directory that is there");
        }
    }

    private void require(Setting<Path> setting, Predicate<Path> rule, String otherwise) {
        Path file = values.find(setting);
        if (file != null && !rule.test(file)) {
            complain(setting, "'" + file + "' " + otherwise);
        }
    }

    private void checkClientTls() {
        ClientTlsSettings tls = config.clientTls();
        checkPair(ClientTlsSettings.KEY_FILE, ClientTlsSettings.CERT_FILE);
        if (tls.sslMode() != SslMode.DISABLE && tls.certFile() == null && tls.keyFile() == null) {
            complain(ClientTlsSettings.SSLMODE, tls.sslMode() + " needs client_tls_key_file and client_tls_cert_file");
        }
        if (tls.sslMode().verifies() && tls.caFile() == null) {
            complain(ClientTlsSettings.SSLMODE, tls.sslMode() + " needs client_tls_ca_file");
        }
    }

    private void checkServerTls() {
        ServerTlsSettings tls = config.serverTls();
        checkPair(ServerTlsSettings.KEY_FILE, ServerTlsSettings.CERT_FILE);
        if (tls.sslMode() == SslMode.VERIFY_CA && tls.caFile() == null) {
            complain(ServerTlsSettings.SSLMODE, "verify-ca needs server_tls_ca_file; only verify-full can do without");
        }
    }

    private void checkPair(Setting<Path> key, Setting<Path> cert) {
        if ((values.find(key) == null) != (values.find(cert) == null)) {
            complain(values.find(key) == null ? cert : key, "needs " + (values.find(key) == null ? key : cert).key());
        }
    }

    private void checkAuthentication() {
        AuthSettings auth = config.auth();
        if (auth.authType() == AuthType.HBA && auth.authHbaFile() == null) {
            complain(AuthSettings.AUTH_TYPE, "hba needs auth_hba_file");
        }
        if (auth.authType() == AuthType.CERT && !config.clientTls().sslMode().verifies()) {
            complain(AuthSettings.AUTH_TYPE, "cert needs client_tls_sslmode = verify-ca or verify-full");
        }
        checkKnown(AuthSettings.AUTH_DBNAME, auth.authDbname());
        if (auth.controlPassword() != null && auth.controlUser() == null) {
            complain(AuthSettings.CONTROL_PASSWORD, "needs control_user");
        }
    }

    private void checkQueryLog() {
        QueryLogSettings log = config.queryLog();
        if (log.target() == QueryLogTarget.FILE && log.path() == null) {
            complain(QueryLogSettings.QUERY_LOG, "file needs query_log_file");
        }
        if (log.target() == QueryLogTarget.TABLE && config.auth().controlUser() == null) {
            complain(QueryLogSettings.QUERY_LOG, "table needs control_user");
        }
        for (Setting<Path> file : List.of(QueryLogSettings.FILE, StatisticsSettings.QUERY_STATS_FILE)) {
            require(file, path -> Files.isDirectory(path.resolveSibling(".")), "is in no directory that is there");
        }
    }

    private void checkHttp() {
        HttpSettings http = config.http();
        String open = http.publicAddress();
        if (open != null && !http.authenticates()) {
            complain(
                    HttpSettings.ADDR,
                    "'" + open + "' is not loopback: set http_token, or http_user and http_password; [\"127.0.0.1\"]"
                            + " needs neither");
        }
        if (http.user() != null && http.password() == null) {
            complain(HttpSettings.USER, "needs http_password");
        } else if (http.password() != null && http.user() == null) {
            complain(HttpSettings.PASSWORD, "needs http_user");
        }
        Secret token = http.token();
        if (token != null && token.reveal().length() < HttpSettings.MIN_TOKEN) {
            complain(HttpSettings.TOKEN, "expects at least " + HttpSettings.MIN_TOKEN + " characters");
        }
        if (http.tls() && config.clientTls().sslMode() == SslMode.DISABLE) {
            complain(
                    HttpSettings.TLS,
                    "needs client_tls_sslmode other than disable, client_tls_key_file and client_tls_cert_file");
        }
    }

    private void checkInstances() {
        InstanceSettings instances = config.instances();
        if (instances.url() == null && values.get(CacheSettings.CACHE_PRESET) == CachePreset.DISTRIBUTED) {
            complain(CacheSettings.CACHE_PRESET, "distributed needs redis_url");
        }
        Secret secret = instances.secret();
        if (instances.url() != null && (secret == null || secret.reveal().length() < InstanceSettings.MIN_SECRET)) {
            complain(
                    InstanceSettings.REDIS_URL,
                    "needs redis_secret, of at least " + InstanceSettings.MIN_SECRET + " characters");
        }
        if (instances.url() != null && config.auth().controlUser() == null) {
            complain(
                    InstanceSettings.REDIS_URL,
                    "needs control_user and control_password: without them it is not known what is written");
        }
        boolean unixSocket = config.databasesAndWildcard().values().stream()
                .anyMatch(database -> database.primary().isUnixSocket());
        if (instances.url() != null && unixSocket) {
            complain(InstanceSettings.REDIS_URL, "needs primaries to be reached over TCP: others must know them, too");
        }
        if (!instances.namespace().matches("[A-Za-z0-9_-]{1,64}")) {
            complain(InstanceSettings.REDIS_NAMESPACE, "expects 1 to 64 letters, digits, - and _");
        }
        if (instances.lease().compareTo(Duration.ofMillis(200)) < 0
                || instances.lease().compareTo(Duration.ofSeconds(10)) > 0) {
            complain(InstanceSettings.LEASE, "expects 200ms to 10s");
        }
        if (instances.url() == null && !config.peers().peers().isEmpty()) {
            checkAlone("peers");
        }
    }

    /** Where this setting makes more than one instance, each must hear of what the others write. */
    private void checkAlone(String several) {
        boolean replicas = config.databasesAndWildcard().values().stream().anyMatch(DatabaseSettings::mayHaveReplicas);
        if (config.cache().isOn()) {
            complain(
                    CacheSettings.CACHE_MODE,
                    "on with " + several + " needs redis_url: they must hear of each other's writes");
        }
        if (replicas && config.routing().consistency() == Consistency.TABLE) {
            complain(
                    RoutingSettings.CONSISTENCY,
                    "table with " + several + " and replicas needs redis_url: instances must hear of each other's"
                            + " writes; session does not");
        }
    }

    /** While one process drains and the next one serves there are two instances. */
    private void checkHandover() {
        if (config.listen().handoverSocket() == null) {
            return;
        }
        if (config.runtime().transport() == TransportChoice.NIO) {
            complain(ListenSettings.HANDOVER_SOCKET, "needs epoll, and transport is nio");
        }
        if (config.instances().url() == null && config.peers().peers().isEmpty()) {
            checkAlone("handover_socket");
        }
        if (config.failover().promotes()) {
            complain(
                    ListenSettings.HANDOVER_SOCKET, "has two instances for a while, and failover = promote is for one");
        }
    }

    private void checkFailover() {
        if (!config.failover().promotes()) {
            return;
        }
        if (!config.peers().peers().isEmpty()) {
            complain(
                    FailoverSettings.FAILOVER,
                    "promote is for a single instance: with peers use follow, and let one other program promote, such as"
                            + " Patroni");
        }
        if (config.auth().controlUser() == null) {
            complain(FailoverSettings.FAILOVER, "promote needs control_user, who may promote");
        }
        Map<HostAddress, List<ReplicaAddress>> replicas = new HashMap<>();
        for (DatabaseSettings database : config.databasesAndWildcard().values()) {
            List<ReplicaAddress> others = database.replicas();
            List<ReplicaAddress> before = others.isEmpty() ? null : replicas.put(database.primary(), others);
            if (before != null && !before.equals(others)) {
                complain(
                        FailoverSettings.FAILOVER,
                        "promote needs the same replicas for all databases of the primary " + database.primary());
            }
        }
    }

    private void checkPatroni() {
        config.databasesAndWildcard().values().stream()
                .filter(database -> !database.patroni().isEmpty())
                .map(DatabaseSettings::name)
                .findFirst()
                .ifPresent(this::checkPatroni);
    }

    private void checkPatroni(String database) {
        if (config.failover().promotes()) {
            complain(
                    FailoverSettings.FAILOVER,
                    "promote is not for databases." + database
                            + ", where Patroni promotes: two who do that promote two hosts; use follow");
        } else if (!config.failover().follows()) {
            complain(
                    FailoverSettings.FAILOVER,
                    "off is not for databases." + database
                            + ": patroni says where its hosts are, and only follow finds the primary among them");
        }
        if (config.auth().controlUser() == null) {
            complain(
                    AuthSettings.CONTROL_USER,
                    "is needed by databases." + database + ".patroni: each host is asked whether it is the primary");
        }
    }

    private void checkBreakers() {
        Duration window = config.breakers().window();
        if (window.compareTo(Duration.ofSeconds(1)) < 0 || window.compareTo(Duration.ofHours(1)) > 0) {
            complain(BreakerSettings.WINDOW, "expects 1s to 1h");
        }
    }

    private void checkWarmQueries() {
        for (WarmQuery query : config.warmQueries()) {
            if (config.database(query.database()) == null) {
                complaints.add(
                        source, "cache_warm." + query.name() + ": there is no database '" + query.database() + "'");
            }
        }
    }

    private void checkKnown(Setting<String> setting, @Nullable String database) {
        if (database != null && config.database(database) == null) {
            complain(setting, "there is no database '" + database + "'");
        }
    }

    private void complain(Setting<?> setting, String message) {
        complaints.add(values.place(setting, source), setting.key() + ": " + message);
    }
}
