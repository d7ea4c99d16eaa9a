package dev.pgproxy.config;

import dev.pgproxy.health.breaker.BreakerRules;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The whole configuration. Immutable; a reload makes another one. Made by {@link ConfigLoader}.
 *
 * @param cacheRules in the order in which they are tried
 * @param statementRules in the order in which they are tried
 * @param warmQueries in the order of their names
 * @param databases by the name that clients ask for, without the wildcard
 * @param wildcard serves the names that {@code databases} does not have; null = they do not exist
 * @param users those of the configuration, by name; {@code auth_file} and {@code auth_query} know more
 * @param alerts what is worth one, and who is told
 * @param values what was set, for SHOW CONFIG, SET and RELOAD
 */
public record ProxyConfig(
        ListenSettings listen,
        PoolSettings pool,
        RoutingSettings routing,
        FailoverSettings failover,
        BreakerRules breakers,
        CacheSettings cache,
        List<CacheRule> cacheRules,
        List<StatementRule> statementRules,
        List<WarmQuery> warmQueries,
        InstanceSettings instances,
        LimitSettings limits,
        RateSettings rates,
        TimeoutSettings timeouts,
        AuthSettings auth,
        ClientTlsSettings clientTls,
        ServerTlsSettings serverTls,
        Map<String, DatabaseSettings> databases,
        @Nullable DatabaseSettings wildcard,
        Map<String, UserSettings> users,
        AdminSettings admin,
        LogSettings log,
        StatisticsSettings statistics,
        QueryLogSettings queryLog,
        SlowSettings slow,
        AlertSettings alerts,
        HttpSettings http,
        RuntimeSettings runtime,
        PeerSettings peers,
        SettingValues values) {

    static ProxyConfig of(
            SettingValues values,
            Map<String, DatabaseSettings> databasesAndWildcard,
            Map<String, UserSettings> users,
            RuleBlocks rules,
            List<WarmQuery> warmQueries,
            AlertTargets alertTargets,
            Map<Integer, HostAddress> peers) {
        SortedMap<String, DatabaseSettings> databases = new TreeMap<>(databasesAndWildcard);
        DatabaseSettings wildcard = databases.remove(DatabaseSettings.WILDCARD);
        return new ProxyConfig(
                ListenSettings.from(values),
                PoolSettings.from(values),
                RoutingSettings.from(values),
                FailoverSettings.from(values),
                BreakerSettings.from(values),
                CacheSettings.from(values),
                rules.cache(),
                rules.statements(),
                warmQueries,
                InstanceSettings.from(values),
                LimitSettings.from(values),
                RateSettings.from(values),
                TimeoutSettings.from(values),
                AuthSettings.from(values),
                ClientTlsSettings.from(values),
                ServerTlsSettings.from(values),
                databases,
                wildcard,
                new TreeMap<>(users),
                AdminSettings.from(values),
                LogSettings.from(values),
                StatisticsSettings.from(values),
                QueryLogSettings.from(values),
                SlowSettings.from(values),
                AlertSettings.from(values, alertTargets),
                HttpSettings.from(values),
                RuntimeSettings.from(values),
                PeerSettings.from(values, peers),
                values);
    }

    public ProxyConfig {
        cacheRules = List.copyOf(cacheRules);
        statementRules = List.copyOf(statementRules);
        warmQueries = List.copyOf(warmQueries);
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

    /** The time-outs that hold for the clients of a user. */
    public TimeoutSettings timeoutsOf(String user) {
        UserSettings settings = users.get(user);
        return settings == null ? timeouts : settings.timeouts().over(timeouts);
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

    /** Transactions that clients of a database may start, by the name they ask for. */
    public RateLimit rateOfDatabase(String name) {
        DatabaseSettings settings = database(name);
        RateLimit own = settings == null ? null : settings.rateLimit();
        return own == null ? rates.perDatabase() : own;
    }

    /** Transactions that clients of a user may start. */
    public RateLimit rateOfUser(String user) {
        UserSettings settings = users.get(user);
        RateLimit own = settings == null ? null : settings.rateLimit();
        return own == null ? rates.perUser() : own;
    }

    /** Whether there is any rate limit. */
    public boolean limitsRates() {
        return !rates.all().isNone()
                || !rates.perDatabase().isNone()
                || !rates.perUser().isNone()
                || users.values().stream().anyMatch(user -> isLimit(user.rateLimit()))
                || databasesAndWildcard().values().stream().anyMatch(database -> isLimit(database.rateLimit()));
    }

    private static boolean isLimit(@Nullable RateLimit own) {
        return own != null && !own.isNone();
    }

    /** The rows of {@code SHOW CONFIG}, secrets masked. */
    public List<ShownSetting> show() {
        return Settings.GENERAL.stream()
                .map(s -> new ShownSetting(s.key(), values.show(s), s.defaultText(), s.reloadable()))
                .toList();
    }

    /**
     * With one general setting changed, for the console's {@code SET}: the text as it would stand in the file. Looks at
     * files that the setting names, and so does not run on an event loop.
     */
    public ProxyConfig with(String key, String text) throws ConfigProblems {
        Place place = new Place("SET", 0);
        Complaints complaints = new Complaints();
        ProxyConfig changed = this;
        Setting<?> setting = Settings.find(Settings.GENERAL, key);
        if (setting == null) {
            complaints.add(place, Settings.unknown("", key, Settings.keys(Settings.GENERAL)));
        } else if (!setting.reloadable()) {
            complaints.add(place, key + ": is read at the start only; change it in the file and restart");
        } else {
            BlockReader reader = new BlockReader(values.directory(), complaints);
            changed = with(reader.parse(setting, key, text, place, values));
            new ConfigRules(changed, place, complaints).check();
        }
        complaints.check();
        return changed;
    }

    ProxyConfig with(SettingValues changed) {
        return of(
                changed,
                databasesAndWildcard(),
                users,
                new RuleBlocks(cacheRules, statementRules),
                warmQueries,
                alerts.targets(),
                peers.peers());
    }

    /** Each block of databases by its name, {@code *} included. */
    public Map<String, DatabaseSettings> databasesAndWildcard() {
        Map<String, DatabaseSettings> all = new TreeMap<>(databases);
        if (wildcard != null) {
            all.put(DatabaseSettings.WILDCARD, wildcard);
        }
        return all;
    }
}
