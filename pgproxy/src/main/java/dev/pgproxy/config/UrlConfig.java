package dev.pgproxy.config;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** A configuration without a file: {@link ConfigLoader#fromUrls}. Confined to the thread that loads. */
final class UrlConfig {
    private static final Place PRIMARY = new Place("primary URL", 0);
    private static final Place REPLICA = new Place("replica URL", 0);
    private static final Place LISTEN = new Place("listen address", 0);

    /** Parameters of a URL that are settings of ours. */
    private static final Map<String, Setting<?>> SETTINGS = Map.of(
            "sslmode", ServerTlsSettings.SSLMODE,
            "sslrootcert", ServerTlsSettings.CA_FILE,
            "sslcert", ServerTlsSettings.CERT_FILE,
            "sslkey", ServerTlsSettings.KEY_FILE,
            "connect_timeout", TimeoutSettings.SERVER_CONNECT_TIMEOUT);

    /** Parameters that concern only the application's own driver, so that its URL can be given as it is. */
    private static final Set<String> DRIVERS_OWN = Set.of(
            "application_name",
            "connection_limit",
            "fallback_application_name",
            "gssencmode",
            "keepalives",
            "load_balance_hosts",
            "pgbouncer",
            "pool_timeout",
            "schema",
            "statement_cache_size",
            "target_session_attrs");

    private final Path directory = Path.of("").toAbsolutePath();
    private final Complaints complaints = new Complaints();
    private final BlockReader reader = new BlockReader(directory, complaints);

    private UrlConfig() {}

    static ProxyConfig read(String primary, List<String> replicas, @Nullable String listen) throws ConfigProblems {
        return new UrlConfig().readAll(primary, replicas, listen);
    }

    private ProxyConfig readAll(String primary, List<String> replicas, @Nullable String listen) throws ConfigProblems {
        PostgresUrl url = url(primary, PRIMARY);
        List<HostAddress> standbys = new ArrayList<>();
        if (url != null) {
            standbys.addAll(url.hosts().subList(1, url.hosts().size()));
        }
        for (String replica : replicas) {
            PostgresUrl other = url(replica, REPLICA);
            if (other != null) {
                standbys.addAll(other.hosts());
                checkSame(other, url);
            }
        }
        SettingValues values = listen(listen, SettingValues.none(directory));
        complaints.check();
        if (url == null) {
            throw new IllegalStateException("a URL that cannot be read was complained about");
        }
        String user = url.user();
        Secret password = url.password();
        if (user == null || password == null) {
            complaints.add(
                    PRIMARY, "the URL needs user and password, for clients to log in; for other ways write a file");
            complaints.check();
            throw new IllegalStateException("unreachable");
        }
        values = values.with(AdminSettings.ADMIN_USERS, List.of(user), PRIMARY)
                .with(AuthSettings.CONTROL_USER, user, PRIMARY)
                .with(AuthSettings.CONTROL_PASSWORD, password, PRIMARY);
        for (Map.Entry<String, String> parameter : url.parameters().entrySet()) {
            values = parameter(parameter.getKey(), parameter.getValue(), values);
        }
        UserSettings known =
                new UserSettings(user, password, null, null, null, null, null, null, null, UserTimeouts.NONE);
        ProxyConfig config = ProxyConfig.of(
                values,
                databases(url, user, standbys),
                Map.of(user, known),
                RuleBlocks.NONE,
                List.of(),
                AlertTargets.NONE,
                Map.of());
        new ConfigRules(config, PRIMARY, complaints).check();
        complaints.check();
        return config;
    }

    private Map<String, DatabaseSettings> databases(PostgresUrl url, String user, List<HostAddress> replicas) {
        SettingValues values = SettingValues.none(directory)
                .with(DatabaseSettings.PRIMARY, url.hosts().get(0), PRIMARY)
                .with(
                        DatabaseSettings.REPLICAS,
                        replicas.stream().map(ReplicaAddress::new).toList(),
                        REPLICA);
        String dbname = url.dbname() == null ? user : url.dbname();
        Map<String, DatabaseSettings> databases = new TreeMap<>();
        if (DatabaseSettings.CONSOLE_NAMES.contains(dbname)) {
            complaints.add(PRIMARY, "the name " + dbname + " belongs to the console; for such a database write a file");
        }
        for (String name : List.of(dbname, DatabaseSettings.WILDCARD)) {
            databases.put(name, DatabaseSettings.from(name, values, Map.of()));
        }
        return databases;
    }

    private @Nullable PostgresUrl url(String text, Place place) {
        try {
            return PostgresUrl.parse(text);
        } catch (IllegalArgumentException e) {
            complaints.add(place, String.valueOf(e.getMessage()));
            return null;
        }
    }

    /** Everything but the host of a replica's URL is the primary's; a difference would be ignored, so it is refused. */
    private void checkSame(PostgresUrl replica, @Nullable PostgresUrl primary) {
        if (primary == null) {
            return;
        }
        boolean same = (replica.user() == null || replica.user().equals(primary.user()))
                && (replica.password() == null || replica.password().equals(primary.password()))
                && (replica.dbname() == null || replica.dbname().equals(primary.dbname()))
                && primary.parameters()
                        .entrySet()
                        .containsAll(replica.parameters().entrySet());
        if (!same) {
            complaints.add(REPLICA, "user, password, database and parameters must be the primary's, or left out");
        }
    }

    private SettingValues parameter(String name, String value, SettingValues values) {
        Setting<?> setting = SETTINGS.get(name);
        if (name.equals("sslrootcert") && value.equals("system")) {
            return values;
        }
        if (setting != null) {
            return reader.parse(setting, name, value, PRIMARY, values);
        }
        boolean harmless = name.equals("channel_binding") && !value.equals("require");
        if (name.equals("channel_binding") && !harmless) {
            complaints.add(PRIMARY, "channel_binding=require cannot be promised; use sslmode=verify-full instead");
        } else if (!harmless && !DRIVERS_OWN.contains(name)) {
            complaints.add(PRIMARY, "unknown parameter '" + name + "' in the URL; remove it, or write a file");
        }
        return values;
    }

    private SettingValues listen(@Nullable String listen, SettingValues values) {
        if (listen == null) {
            return values;
        }
        if (listen.startsWith("/")) {
            return values.with(ListenSettings.LISTEN_ADDR, List.of(), LISTEN)
                    .with(ListenSettings.UNIX_SOCKET_DIR, Path.of(listen), LISTEN);
        }
        int colon = listen.lastIndexOf(':');
        boolean portOnly = listen.chars().allMatch(Character::isDigit);
        boolean port = colon >= 0 && !listen.endsWith("]") && (listen.startsWith("[") || listen.indexOf(':') == colon);
        String host = port ? listen.substring(0, colon) : listen;
        if (!portOnly && !host.isEmpty()) {
            String bare = host.startsWith("[") && host.endsWith("]") ? host.substring(1, host.length() - 1) : host;
            values = reader.parse(ListenSettings.LISTEN_ADDR, "host", bare, LISTEN, values);
        }
        if (portOnly || port) {
            String number = portOnly ? listen : listen.substring(colon + 1);
            values = reader.parse(ListenSettings.LISTEN_PORT, "port", number, LISTEN, values);
        }
        return values;
    }
}
