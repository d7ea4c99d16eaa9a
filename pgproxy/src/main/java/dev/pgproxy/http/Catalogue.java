package dev.pgproxy.http;

import static dev.pgproxy.http.Metric.counter;
import static dev.pgproxy.http.Metric.flag;
import static dev.pgproxy.http.Metric.gauge;
import static dev.pgproxy.http.Metric.state;

import java.util.List;
import java.util.stream.Stream;

/**
 * Every metric that is read from the console: the only place that knows its name, meaning and origin. Names are as Prometheus
 * recommends: base units, and {@code _total} for what only grows. No label has values without bound: statements and clients
 * have none.
 */
final class Catalogue {
    private static final TableMetrics PROGRAM =
            TableMetrics.of("version", "", state("pgproxy_version", "version", "1; which version runs is its label."));

    private static final TableMetrics POOLS = TableMetrics.of(
                    "pools",
                    "database user",
                    gauge("pgproxy_pool_clients_active", "cl_active", "Clients that do not wait for a server."),
                    gauge("pgproxy_pool_clients_waiting", "cl_waiting", "Clients that wait for a server."),
                    gauge("pgproxy_pool_servers_active", "sv_active", "Servers that work for a client."),
                    gauge("pgproxy_pool_servers_idle", "sv_idle", "Servers that are free."),
                    gauge(
                            "pgproxy_pool_servers_tested",
                            "sv_tested",
                            "Servers that are reset or looked at before they are lent."),
                    gauge("pgproxy_pool_servers_login", "sv_login", "Servers that are connected to and log in."),
                    gauge(
                            "pgproxy_pool_servers_being_canceled",
                            "sv_being_canceled",
                            "Servers that wait for a cancel to be over."),
                    gauge(
                            "pgproxy_pool_longest_wait_seconds",
                            "maxwait+maxwait_us*1e-6",
                            "How long the client that waits longest for a server has waited."))
            .adding();

    private static final TableMetrics DATABASES = TableMetrics.of(
            "databases",
            "database=name",
            gauge(
                    "pgproxy_database_pool_size",
                    "pool_size",
                    "Servers that one pool may have; a user may have a size of his own."),
            gauge("pgproxy_database_servers", "current_connections", "Servers of all its pools."),
            gauge("pgproxy_database_servers_limit", "max_connections", "max_db_connections; 0 = no limit."),
            gauge("pgproxy_database_clients", "current_client_connections", "Clients that asked for it."),
            gauge(
                    "pgproxy_database_clients_limit",
                    "max_client_connections",
                    "max_db_client_connections; 0 = no limit."),
            gauge("pgproxy_database_paused", "paused", "1 while it is paused."),
            gauge("pgproxy_database_disabled", "disabled", "1 while it is disabled."));

    private static final TableMetrics TRAFFIC = TableMetrics.of(
            "stats_totals",
            "database",
            counter("pgproxy_transactions_total", "xact_count", "Transactions that have ended."),
            counter("pgproxy_queries_total", "query_count", "Queries that were answered."),
            counter("pgproxy_received_bytes_total", "bytes_received", "Bytes from clients."),
            counter("pgproxy_sent_bytes_total", "bytes_sent", "Bytes to clients."),
            counter("pgproxy_transaction_seconds_total", "xact_time*1e-6", "Time that clients had a server."),
            counter("pgproxy_query_seconds_total", "query_time*1e-6", "Time that servers worked on queries."),
            counter("pgproxy_wait_seconds_total", "wait_time*1e-6", "Time that clients waited for a server."),
            counter(
                    "pgproxy_server_assignments_total",
                    "server_assignment_count",
                    "How often a client was given a server."),
            counter("pgproxy_client_parses_total", "client_parse_count", "Statements that clients prepared."),
            counter("pgproxy_server_parses_total", "server_parse_count", "Statements that were prepared on servers."),
            counter("pgproxy_binds_total", "bind_count", "Prepared statements that were bound."));

    private static final TableMetrics RETRIES = TableMetrics.of(
            "retries",
            "database",
            counter(
                    "pgproxy_retries_serialization_failures_total",
                    "serialization_failures",
                    "Statements run again after 40001."),
            counter("pgproxy_retries_deadlocks_total", "deadlocks", "Statements run again after 40P01."),
            counter(
                    "pgproxy_retries_stale_plans_total",
                    "stale_plans",
                    "Statements run again since their plan was stale."),
            counter(
                    "pgproxy_retries_reads_total",
                    "reads",
                    "Reads asked at the primary, since the first host did not answer them."),
            counter("pgproxy_retries_given_up_total", "given_up", "Statements run again, and failed all the same."));

    private static final TableMetrics HOSTS = TableMetrics.of(
            "hosts",
            "cluster host=host:port",
            flag("pgproxy_host_up", "role", "1 where it answers, and belongs to its cluster.", "primary", "replica"),
            state("pgproxy_host_role", "role", "1; what it says it is stands in the label."),
            gauge("pgproxy_host_lag_bytes", "lag_bytes", "WAL of the primary that it has not replayed."),
            gauge("pgproxy_host_lag_seconds", "lag_seconds", "Age of what it has replayed, while it is behind."),
            gauge("pgproxy_host_connections", "connections", "Connections, of everybody."),
            gauge("pgproxy_host_connections_limit", "max_connections", "Its max_connections."),
            gauge("pgproxy_host_oldest_transaction_seconds", "oldest_transaction_s", "Age of the oldest transaction."),
            gauge(
                    "pgproxy_host_oldest_idle_transaction_seconds",
                    "oldest_idle_transaction_s",
                    "How long the transaction that is idle longest has been."),
            gauge("pgproxy_host_waiting_locks", "waiting_locks", "Locks that are waited for."),
            gauge(
                    "pgproxy_host_longest_lock_wait_seconds",
                    "longest_lock_wait_s",
                    "How long one is waited for already."),
            counter("pgproxy_host_deadlocks_total", "deadlocks", "Deadlocks, by its own count."),
            gauge(
                    "pgproxy_host_buffer_hit_ratio",
                    "buffer_hit_ratio*0.01",
                    "Share of blocks found in shared buffers, 0 to 1."),
            gauge("pgproxy_host_cpu_ratio", "cpu*0.01", "Share of the machine's processors in use, 0 to 1."),
            gauge(
                    "pgproxy_host_memory_used_ratio",
                    "memory_used*0.01",
                    "Share of the machine's memory in use, 0 to 1."),
            gauge("pgproxy_host_disk_used_ratio", "disk_used*0.01", "Share of the disk in use, 0 to 1."));

    private static final TableMetrics BREAKERS = TableMetrics.of(
            "breakers",
            "host",
            state("pgproxy_breaker_state", "state", "1; closed, open or half_open stands in the label."),
            counter("pgproxy_breaker_calls_total", "calls", "Logins, and connections lost in the middle of something."),
            counter("pgproxy_breaker_failures_total", "failures", "Those that failed."),
            counter("pgproxy_breaker_opened_total", "times_opened", "How often it opened."));

    private static final TableMetrics REPLICAS = TableMetrics.of(
            "replicas",
            "database host",
            counter("pgproxy_reads_total", "reads", "Reads that were sent there."),
            gauge("pgproxy_read_weight", "effective_weight", "Its share of reads beside the others', as it is now."),
            gauge(
                    "pgproxy_read_response_seconds",
                    "response_us*1e-6",
                    "How long it takes to answer a read, typically."),
            gauge("pgproxy_read_freshness_seconds", "fresh_ms*1e-3", "Everything older than that is surely there."));

    private static final TableMetrics FAILOVER = TableMetrics.of(
            "failover",
            "cluster=configured",
            flag("pgproxy_cluster_has_primary", "primary", "1 where a host takes writes."),
            gauge("pgproxy_cluster_timeline", "timeline", "The timeline of its primary."),
            counter("pgproxy_cluster_promotions_total", "promotions", "Replicas that pgproxy promoted."));

    private static final TableMetrics ROUTES = TableMetrics.of(
            "routes",
            "database target reason",
            counter(
                    "pgproxy_routes_total",
                    "count",
                    "Exchanges by where they went and why; docs/routing.md explains reasons."));

    private static final TableMetrics CACHE = TableMetrics.of(
            "cache",
            "",
            gauge("pgproxy_cache_entries", "entries", "Results that are kept."),
            gauge("pgproxy_cache_bytes", "bytes", "Their size."),
            gauge("pgproxy_cache_limit_bytes", "size", "cache_size."),
            counter("pgproxy_cache_hits_total", "hits", "Reads answered from the cache."),
            counter("pgproxy_cache_misses_total", "misses", "Reads that it could have answered, and did not."),
            counter("pgproxy_cache_stores_total", "stores", "Results that were put in."),
            counter("pgproxy_cache_evictions_total", "evictions", "Results that made room for others."),
            counter("pgproxy_cache_expirations_total", "expirations", "Results whose time was over."),
            counter("pgproxy_cache_stale_total", "stale", "Results found, but older than a write."),
            counter("pgproxy_cache_too_large_total", "too_large", "Results larger than cache_max_result."),
            counter(
                    "pgproxy_cache_shadow_hits_total",
                    "shadow_hits",
                    "Hits that there would have been, with cache_mode = shadow."),
            counter("pgproxy_cache_compared_total", "compared", "Those that were compared with the server's answer."),
            counter("pgproxy_cache_mismatches_total", "mismatches", "Those that differed."));

    private static final TableMetrics CACHE_READS = TableMetrics.of(
            "cache misses",
            "database reason",
            counter(
                    "pgproxy_cache_reads_total",
                    "count",
                    "Reads by what became of them; docs/caching.md explains reasons."));

    private static final TableMetrics FEED = TableMetrics.of(
            "cache feed",
            "database level",
            state("pgproxy_feed_state", "state", "1; the state of the change feed stands in the label."),
            gauge("pgproxy_feed_lag_bytes", "lag_bytes", "WAL that was written and has not arrived."),
            gauge("pgproxy_feed_kept_bytes", "kept_bytes", "WAL that its slot keeps from being removed."),
            gauge("pgproxy_feed_delay_seconds", "delay_us*1e-6", "Between the last commit and its report."),
            counter(
                    "pgproxy_feed_transactions_total",
                    "transactions",
                    "Transactions or notifications that were reported."),
            counter("pgproxy_feed_changes_total", "changes", "Rows changed and tables truncated in them."),
            counter("pgproxy_feed_losses_total", "losses", "How often it was lost."));

    private static final TableMetrics INSTANCES = TableMetrics.of(
            "instances",
            "",
            flag("pgproxy_instance_connected", "connected", "1 while it is connected to Redis.", "yes"),
            flag("pgproxy_instance_serving", "serving", "1 while it may serve hits.", "yes"),
            gauge("pgproxy_instance_others", "others", "Other instances that are there."),
            gauge("pgproxy_instance_lost", "lost", "Others that vanished without a goodbye."),
            gauge("pgproxy_instance_delay_seconds", "delay_us*1e-6", "A sign of life through Redis and back."),
            counter("pgproxy_instance_losses_total", "losses", "How often the connection was lost."),
            counter("pgproxy_instance_flushes_total", "flushes", "How often everything was forgotten."),
            counter("pgproxy_instance_waits_total", "waited", "Commits that waited for the others."),
            counter("pgproxy_instance_wait_seconds_total", "waited_us*1e-6", "How long."),
            counter("pgproxy_instance_shared_hits_total", "shared_hits", "Results found in Redis."),
            counter("pgproxy_instance_shared_stores_total", "shared_stores", "Results put there."));

    private static final TableMetrics LIMITS = TableMetrics.of(
            "rate_limits",
            "scope name",
            gauge("pgproxy_rate_limit_transactions", "max_transactions", "Transactions that may start in one window."),
            gauge("pgproxy_rate_limit_window_seconds", "window_ms*1e-3", "The window."),
            gauge("pgproxy_rate_limit_used", "used", "Transactions that started in the last window."),
            counter("pgproxy_rate_limit_started_total", "started", "Transactions that were let through."),
            counter("pgproxy_rate_limit_refused_total", "refused", "Transactions that were refused."));

    private static final TableMetrics PRIORITIES = TableMetrics.of(
            "priorities",
            "priority",
            gauge("pgproxy_priority_waiting", "waiting", "Clients of that priority that wait for a server."),
            counter("pgproxy_priority_served_total", "served", "Waits that ended with a server."),
            counter("pgproxy_priority_wait_seconds_total", "wait_time*1e-6", "How long these were."));

    private static final TableMetrics RULES = TableMetrics.of(
            "rules",
            "rule=name",
            counter("pgproxy_rule_matched_total", "matched", "Statements that the rule fitted."),
            counter("pgproxy_rule_refused_total", "refused", "Statements that it refused."),
            gauge("pgproxy_rule_running", "running", "Those that run now, where it has max_concurrent."));

    private static final TableMetrics REPETITIONS = TableMetrics.of(
            "repetitions",
            "kind",
            gauge("pgproxy_repetition_findings", "findings", "Statements that some caller repeats in rows."),
            gauge(
                    "pgproxy_repetition_executions",
                    "executions",
                    "Executions of these, since the start or RESET QUERIES."),
            gauge("pgproxy_repetition_seconds", "time_us*1e-6", "Time that these took."));

    private static final TableMetrics SLOW = TableMetrics.of(
            "slow totals",
            "",
            counter("pgproxy_slow_log_written_total", "log_written", "Slow statements in slow_query_log."),
            counter(
                    "pgproxy_slow_log_dropped_total",
                    "log_dropped",
                    "Slow statements that could not be written to it, or not fast enough."),
            counter("pgproxy_plans_captured_total", "plans_captured", "Plans that were asked for and told."),
            counter("pgproxy_plans_failed_total", "plans_failed", "Plans that could not be had."),
            counter("pgproxy_plan_changes_total", "plans_changed", "Statements whose plan was another than before."));

    private static final TableMetrics ALERTS = TableMetrics.of(
            "alerts",
            "alert subject severity",
            flag("pgproxy_alert_raised", "state", "1 while it is raised; 0 for some time afterwards.", "raised"));

    private static final TableMetrics SINKS = TableMetrics.of(
            "alert_sinks",
            "sink kind",
            gauge("pgproxy_alert_sink_queued", "queued", "Alerts that wait to be told."),
            counter("pgproxy_alert_sink_delivered_total", "delivered", "Alerts that were told."),
            counter("pgproxy_alert_sink_failed_total", "failed", "Alerts that could not be told."),
            counter(
                    "pgproxy_alert_sink_dropped_total",
                    "dropped",
                    "Alerts that were given up, since too many waited."));

    private static final TableMetrics QUERY_LOG = TableMetrics.of(
            "query_log",
            "sink target",
            gauge("pgproxy_query_log_queued", "queued", "Rows of the query log that wait to be written."),
            counter("pgproxy_query_log_written_total", "written", "Rows that were written."),
            counter("pgproxy_query_log_bytes_total", "bytes", "Their size."),
            counter(
                    "pgproxy_query_log_dropped_full_total",
                    "dropped_full",
                    "Rows that were not written, since too many waited."),
            counter(
                    "pgproxy_query_log_dropped_failed_total",
                    "dropped_failed",
                    "Rows that were not written, since that failed."),
            counter("pgproxy_query_log_errors_total", "errors", "How often it failed."));

    private static final TableMetrics LISTS =
            TableMetrics.of("lists", "list", gauge("pgproxy_items", "items", "As in SHOW LISTS."));

    /** In the order of the documentation. */
    static final List<TableMetrics> ALL = List.of(
            PROGRAM,
            LISTS,
            POOLS,
            DATABASES,
            TRAFFIC,
            RETRIES,
            PRIORITIES,
            LIMITS,
            RULES,
            SLOW,
            HOSTS,
            BREAKERS,
            REPLICAS,
            FAILOVER,
            ROUTES,
            CACHE,
            CACHE_READS,
            FEED,
            INSTANCES,
            QUERY_LOG,
            REPETITIONS,
            ALERTS,
            SINKS);

    private Catalogue() {}

    /** Every table that is read. */
    static List<String> tables() {
        return Stream.concat(ALL.stream().map(TableMetrics::table), Stream.of(Histograms.TABLE))
                .toList();
    }
}
