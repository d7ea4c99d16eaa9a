package dev.pgproxy.config;

import java.util.Collections;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The whole configuration. Immutable; a reload makes another one. Made by ConfigLoader.
 *
 * @param databases by the name that clients ask for, without the wildcard
 * @param wildcard serves the names that {@code databases} does not have; null = they do not exist
 * @param users those of the configuration, by name; {@code auth_file} and {@code auth_query} know more
 * @param values what was set, for SHOW CONFIG, SET and RELOAD
 */
public record ProxyConfig(
        ListenSettings listen,
        PoolSettings pool,
        LimitSettings limits,
        TimeoutSettings timeouts,
        AuthSettings auth,
        ClientTlsSettings clientTls,
        ServerTlsSettings serverTls,
        Map<String, DatabaseSettings> databases,
        @Nullable DatabaseSettings wildcard,
        Map<String, UserSettings> users,
        AdminSettings admin,
        LogSettings log,
        RuntimeSettings runtime,
        PeerSettings peers,
        SettingValues values) {

    static ProxyConfig of(
            SettingValues values,
            Map<String, DatabaseSettings> databasesAndWildcard,
            Map<String, UserSettings> users,
            Map<Integer, HostAddress> peers) {
        SortedMap<String, DatabaseSettings> databases = new TreeMap<>(databasesAndWildcard);
        DatabaseSettings wildcard = databases.remove(DatabaseSettings.WILDCARD);
        return new ProxyConfig(
                ListenSettings.from(values),
                PoolSettings.from(values),
                LimitSettings.from(values),
                TimeoutSettings.from(values),
                AuthSettings.from(values),
                ClientTlsSettings.from(values),
                ServerTlsSettings.from(values),
                databases,
                wildcard,
                new TreeMap<>(users),
                AdminSettings.from(values),
                LogSettings.from(values),
                RuntimeSettings.from(values),
                PeerSettings.from(values, peers),
                values);
    }

    public ProxyConfig {
        databases = Collections.unmodifiableMap(databases);
        users = Collections.unmodifiableMap(users);
    }

    /** The database of this name, or the wildcard, or null where there is none. */
    public @Nullable DatabaseSettings database(String name) {
        DatabaseSettings named = databases.get(name);
        return named == null ? wildcard : named;
    }

    /** The numbers of the pool of a database and a user. */
    public EffectivePool pool(DatabaseSettings database, String user) {
        return EffectivePool.of(this, database, users.get(user));
    }

    /** Clients that a database may have; 0 = no limit. */
    public int maxClientsOf(DatabaseSettings database) {
        Integer own = database.maxDbClientConnections();
        return own == null ? limits.maxDbClientConnections() : own;
    }

    /** Clients that a user may have; 0 = no limit. */
    public int maxClientsOf(String user) {
        UserSettings settings = users.get(user);
        Integer own = settings == null ? null : settings.maxUserClientConnections();
        return own == null ? limits.maxUserClientConnections() : own;
    }
}
