package dev.pgproxy.console;

import dev.pgproxy.client.ClientStage;
import dev.pgproxy.client.ConsoleAnswer;
import dev.pgproxy.config.DatabaseSettings;
import dev.pgproxy.config.PoolMode;
import dev.pgproxy.config.ProxyConfig;
import dev.pgproxy.net.HostNames;
import dev.pgproxy.pool.Pool;
import dev.pgproxy.pool.PoolKey;
import dev.pgproxy.pool.Pools;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/** SHOW POOLS, LISTS, STATE. Thread-safe. */
record PoolTables(ProgramControl program, Pools pools, ConfigTables configured, HostNames names) {

    ConsoleAnswer pools(Snapshot now) {
        Table table = Table.of("database user cl_active:int4 cl_waiting:int4 cl_active_cancel_req:int4"
                + " cl_waiting_cancel_req:int4 sv_active:int4 sv_active_cancel:int4 sv_being_canceled:int4"
                + " sv_idle:int4 sv_used:int4 sv_tested:int4 sv_login:int4 maxwait:int4 maxwait_us:int4"
                + " pool_mode load_balance_hosts");
        long time = System.nanoTime();
        grouped().forEach((key, pools) -> {
            List<ClientView> clients = now.clientsOf(key);
            List<ServerView> servers = now.serversOf(key);
            long waiting = clients.stream().filter(ClientView::isWaiting).count();
            int cancels = servers.stream().mapToInt(ServerView::cancels).sum();
            long wait = pools.stream()
                    .mapToLong(pool -> pool.longestWait(time))
                    .max()
                    .orElse(0);
            long maxWait = TimeUnit.NANOSECONDS.toMicros(wait);
            table.row(
                    key.database(),
                    key.user(),
                    clients.size() - waiting,
                    waiting,
                    cancels,
                    0,
                    count(servers, "active"),
                    cancels,
                    count(servers, "being_canceled"),
                    count(servers, "idle"),
                    0,
                    count(servers, "tested"),
                    pools.stream().mapToInt(Pool::connecting).sum(),
                    maxWait / 1_000_000,
                    maxWait % 1_000_000,
                    mode(key),
                    null);
        });
        return table.answer();
    }

    /** Those of all hosts together: to its clients it is one pool. */
    private Map<PoolKey, List<Pool>> grouped() {
        return pools.all().stream()
                .collect(Collectors.groupingBy(
                        pool -> pool.key().on(null),
                        () -> new TreeMap<>(Comparator.comparing(PoolKey::database)
                                .thenComparing(PoolKey::user)
                                .thenComparing(PoolKey::asItself)),
                        Collectors.toList()));
    }

    private static long count(List<ServerView> servers, String state) {
        return servers.stream().filter(view -> view.is(state)).count();
    }

    private PoolMode mode(PoolKey key) {
        ProxyConfig config = program.config();
        DatabaseSettings database = config.database(key.database());
        return database == null
                ? config.pool().poolMode()
                : config.pool(database, key.user()).poolMode();
    }

    ConsoleAnswer lists(Snapshot now) {
        long login = now.clients().stream()
                .filter(view -> view.stage() == ClientStage.LOGIN)
                .count();
        return Table.of("list items:int4")
                .row("databases", configured.databaseNames().size())
                .row("users", configured.userNames().size())
                .row("peers", program.config().peers().peers().size())
                .row("pools", grouped().size())
                .row("peer_pools", 0)
                .row("free_clients", 0)
                .row("used_clients", now.clients().size() - login)
                .row("login_clients", login)
                .row("free_servers", 0)
                .row("used_servers", now.servers().size())
                .row("dns_names", names.known().size())
                .row("dns_zones", 0)
                .row("dns_queries", 0)
                .row("dns_pending", 0)
                .answer();
    }

    ConsoleAnswer state() {
        boolean paused = pools.gates().isPaused();
        return Table.of("key value")
                .row("active", paused ? "no" : "yes")
                .row("paused", paused ? "yes" : "no")
                .row("suspended", "no")
                .answer();
    }
}
