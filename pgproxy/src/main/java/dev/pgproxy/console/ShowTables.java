package dev.pgproxy.console;

import dev.pgproxy.alert.Alerts;
import dev.pgproxy.client.ClientServices;
import dev.pgproxy.client.Clients;
import dev.pgproxy.client.ConsoleAnswer;
import dev.pgproxy.limit.RateLimits;
import dev.pgproxy.net.HostNames;
import dev.pgproxy.pool.Pools;
import dev.pgproxy.route.Routes;
import dev.pgproxy.rules.StatementRules;
import dev.pgproxy.warm.Warming;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Every SHOW that answers with rows and needs nothing but its name. Thread-safe. */
final class ShowTables {
    private final Map<String, Supplier<CompletionStage<ConsoleAnswer>>> byName = new TreeMap<>();
    private final Clients clients;
    private final Pools pools;

    /** Of these parts of the program; {@code periods} for the averages. */
    ShowTables(
            ProgramControl program,
            Pools pools,
            ClientServices services,
            HostNames names,
            Warming warming,
            Alerts alerts,
            StatsPeriods periods) {
        this.clients = services.clients();
        this.pools = pools;
        program(program, names);
        pools(new ConfigTables(program, pools, clients), program, names);
        sockets();
        limits(services.limits(), services.rules());
        hosts(new HostTables(services.routes()), new RouteTables(services.routes()));
        cache(services.routes(), warming);
        stats(new StatsTables(pools, periods, services.cancelKeys()));
        QueryTables queryTables =
                new QueryTables(services.stats(), services.routes().shapes());
        if (queryTables.stats() != null) {
            table("slow", queryTables::slow);
            table("schema history", queryTables::schemaHistory);
            byName.put(
                    "queries",
                    () -> queryTables.queries(ConsoleCommand.ShowQueries.ALL).thenApply(List::getLast));
        }
        table("query_log", () -> QueryLogTable.of(services.stats()));
        table("latencies", () -> LatencyTable.of(services.stats()));
        NPlusOneTables nPlusOneTables = new NPlusOneTables(services.repetitions());
        if (services.repetitions() != null) {
            byName.put("nplusone", () -> nPlusOneTables.nPlusOnes(Long.MAX_VALUE));
        }
        byName.put("repetitions", nPlusOneTables::summary);
        SlowTables slowTables = new SlowTables(services.slow());
        table("plans", slowTables::plans);
        table("slow totals", slowTables::totals);
        ServerWaits waits = new ServerWaits(services.routes());
        byName.put("active", () -> Snapshot.take(clients, pools).thenCompose(now -> SlowTables.active(now, waits)));
        AdviceTables adviceTables = new AdviceTables(program.advisor());
        byName.put("advice", adviceTables::advice);
        byName.put("indexes", adviceTables::indexes);
        AlertTables alertTables = new AlertTables(alerts);
        table("alerts", alertTables::alerts);
        table("alert_sinks", alertTables::sinks);
    }

    private void program(ProgramControl program, HostNames names) {
        table("mem", ProgramTables::mem);
        table("version", () -> ProgramTables.version(program.version()));
        table("dns_hosts", () -> ProgramTables.dnsHosts(names));
        table("dns_zones", ProgramTables::dnsZones);
    }

    private void pools(ConfigTables configTables, ProgramControl program, HostNames names) {
        PoolTables poolTables = new PoolTables(program, pools, configTables, names);
        table("config", configTables::config);
        table("databases", configTables::databases);
        table("users", configTables::users);
        table("peers", configTables::peers);
        table("state", poolTables::state);
        live("pools", poolTables::pools);
        live("lists", poolTables::lists);
    }

    private void sockets() {
        live("clients", SocketTables::clients);
        live("servers", SocketTables::servers);
        live("sockets", now -> SocketTables.sockets(now, false));
        live("active_sockets", now -> SocketTables.sockets(now, true));
        live("pins", SocketTables::pins);
    }

    private void limits(RateLimits limits, StatementRules rules) {
        table("rate_limits", () -> ConfigTables.rateLimits(limits));
        table("priorities", () -> ConfigTables.priorities(pools.waitingCounts()));
        table("rules", () -> ConfigTables.rules(rules));
    }

    private void hosts(HostTables hostTables, RouteTables routeTables) {
        table("hosts", hostTables::hosts);
        table("breakers", () -> hostTables.breakers(pools.breakers()));
        table("patroni", hostTables::patroni);
        table("replicas", routeTables::replicas);
        table("failover", routeTables::failover);
        table("routes", routeTables::routes);
        table("unparsed", routeTables::unparsed);
    }

    private void cache(Routes routes, Warming warming) {
        CacheTables cacheTables = new CacheTables(routes, warming);
        table("cache", cacheTables::cache);
        table("cache misses", cacheTables::misses);
        table("cache tables", cacheTables::tables);
        table("cache coverage", cacheTables::coverage);
        table("cache feed", cacheTables::feed);
        table("cache shadow", cacheTables::shadow);
        table("cache warming", cacheTables::warming);
        table("cache rules", cacheTables::rules);
        table("cache fingerprints", cacheTables::fingerprints);
        byName.put("instances", cacheTables::instances);
    }

    private void stats(StatsTables statsTables) {
        table("stats", statsTables::stats);
        table("stats_totals", statsTables::totals);
        table("stats_averages", statsTables::averages);
        table("totals", statsTables::allTotals);
        table("retries", statsTables::retries);
    }

    private void table(String name, Supplier<ConsoleAnswer> table) {
        byName.put(name, () -> CompletableFuture.completedFuture(table.get()));
    }

    /** One of connections, which their loops are asked for. */
    private void live(String name, Function<Snapshot, ConsoleAnswer> table) {
        byName.put(name, () -> Snapshot.take(clients, pools).thenApply(table));
    }

    /** What is behind SHOW, in lower case with single blanks. */
    Set<String> names() {
        return Collections.unmodifiableSet(byName.keySet());
    }

    /** The rows of one of {@link #names}; null for any other name. */
    @Nullable
    CompletionStage<ConsoleAnswer> show(String name) {
        Supplier<CompletionStage<ConsoleAnswer>> table = byName.get(name);
        return table == null ? null : table.get();
    }
}
