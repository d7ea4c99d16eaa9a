package dev.pgproxy.console;

import dev.pgproxy.client.Clients;
import dev.pgproxy.client.ConsoleAnswer;
import dev.pgproxy.config.DatabaseSettings;
import dev.pgproxy.config.EffectivePool;
import dev.pgproxy.config.ProxyConfig;
import dev.pgproxy.config.ShownSetting;
import dev.pgproxy.config.UserSettings;
import dev.pgproxy.limit.RateLimits;
import dev.pgproxy.pool.Pool;
import dev.pgproxy.pool.Pools;
import dev.pgproxy.pool.WaitingCounts;
import dev.pgproxy.routing.Priority;
import dev.pgproxy.rules.Rule;
import dev.pgproxy.rules.StatementRules;
import java.util.Locale;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/** SHOW CONFIG, DATABASES, USERS, PEERS, RATE_LIMITS: what the configuration says, and how much of it is used. Thread-safe. */
record ConfigTables(ProgramControl program, Pools pools, Clients clients) {

    ConsoleAnswer config() {
        Table table = Table.of("key value default changeable");
        for (ShownSetting setting : program.config().show()) {
            table.row(setting.key(), setting.value(), setting.defaultValue(), setting.changeable() ? "yes" : "no");
        }
        return table.answer();
    }

    /** Databases with a block of their own, and those that the wildcard serves and somebody has used. */
    SortedSet<String> databaseNames() {
        SortedSet<String> names = new TreeSet<>(program.config().databases().keySet());
        for (Pool pool : pools.all()) {
            names.add(pool.key().database());
        }
        names.addAll(pools.gates().names());
        names.removeIf(name -> program.config().database(name) == null);
        return names;
    }

    ConsoleAnswer databases() {
        Table table = Table.of("name host port:int4 database force_user pool_size:int4 min_pool_size:int4"
                + " reserve_pool_size:int4 server_lifetime:int4 pool_mode load_balance_hosts max_connections:int4"
                + " current_connections:int4 max_client_connections:int4 current_client_connections:int4"
                + " paused:int4 disabled:int4");
        ProxyConfig config = program.config();
        for (String name : databaseNames()) {
            DatabaseSettings database = config.database(name);
            if (database == null) {
                continue;
            }
            EffectivePool sizes = config.pool(database, "");
            table.row(
                    name,
                    database.primary().host(),
                    database.primary().port(),
                    database.serverDatabase(name),
                    database.user(),
                    sizes.poolSize(),
                    sizes.minPoolSize(),
                    sizes.reservePoolSize(),
                    config.timeouts().serverLifetime().toSeconds(),
                    database.poolMode(),
                    null,
                    sizes.maxDbConnections(),
                    pools.serversOfDatabase(name),
                    config.maxClientsOf(database),
                    clients.ofDatabase(name),
                    pools.gates().isPaused(name) ? 1 : 0,
                    pools.gates().isDisabled(name) ? 1 : 0);
        }
        return table.answer();
    }

    /** Users that have a secret or settings here, and those that auth_query has let in and that have a pool. */
    SortedSet<String> userNames() {
        SortedSet<String> names = new TreeSet<>(program.users());
        Set<String> configured = program.config().users().keySet();
        names.addAll(configured);
        for (Pool pool : pools.all()) {
            names.add(pool.key().user());
        }
        return names;
    }

    ConsoleAnswer users() {
        Table table = Table.of("name pool_size reserve_pool_size pool_mode max_user_connections:int4"
                + " current_connections:int4 max_user_client_connections:int4 current_client_connections:int4");
        ProxyConfig config = program.config();
        for (String name : userNames()) {
            UserSettings user = config.users().get(name);
            Integer maxServers = user == null ? null : user.maxUserConnections();
            table.row(
                    name,
                    user == null ? null : user.poolSize(),
                    user == null ? null : user.reservePoolSize(),
                    user == null ? null : user.poolMode(),
                    maxServers == null ? config.limits().maxUserConnections() : maxServers,
                    pools.serversOfUser(name),
                    config.maxClientsOf(name),
                    clients.ofUser(name));
        }
        return table.answer();
    }

    /** The limits that are in use, and how far. */
    static ConsoleAnswer rateLimits(RateLimits limits) {
        Table table = Table.of(
                "scope name max_transactions:int4 window_ms:int8 used:int8 started:int8 refused:int8 shared apart:int8");
        for (RateLimits.Standing limit : limits.show()) {
            table.row(
                    limit.scope(),
                    limit.name(),
                    limit.limit().transactions(),
                    limit.limit().window().toMillis(),
                    limit.used(),
                    limit.started(),
                    limit.refused(),
                    limit.shared().name().toLowerCase(Locale.ROOT),
                    limit.apart());
        }
        return table.answer();
    }

    /** Who waits for servers, by priority. */
    static ConsoleAnswer priorities(WaitingCounts counts) {
        Table table = Table.of("priority weight:int4 waiting:int4 served:int8 wait_time:int8");
        for (Priority priority : Priority.values()) {
            table.row(
                    priority.toString(),
                    priority.weight(),
                    counts.waiting(priority),
                    counts.served(priority),
                    counts.waitedMicros(priority));
        }
        return table.answer();
    }

    /** What the configuration says of statements, in the order in which it is tried. */
    static ConsoleAnswer rules(StatementRules rules) {
        Table table = Table.of("name conditions actions matched:int8 refused:int8 running:int4");
        for (Rule rule : rules.all()) {
            table.row(
                    rule.says().name(),
                    rule.says().conditions(),
                    rule.says().actions(),
                    rule.matched(),
                    rule.refused(),
                    rule.says().maxConcurrent() == null ? null : rule.running());
        }
        return table.answer();
    }

    ConsoleAnswer peers() {
        Table table = Table.of("peer_id:int4 host port:int4 pool_size:int4");
        // a cancel request to a peer has a connection of its own: there is no pool, and no limit
        new TreeMap<>(program.config().peers().peers())
                .forEach((id, host) -> table.row(id, host.host(), host.port(), 0));
        return table.answer();
    }
}
