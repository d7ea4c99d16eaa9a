package dev.pgproxy.pgbouncer;

import dev.pgproxy.pgbouncer.Meaning.None;
import dev.pgproxy.pgbouncer.Meaning.Same;
import dev.pgproxy.pgbouncer.Meaning.Special;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Every setting of PgBouncer 1.25's section {@code [pgbouncer]}, with what it is here. */
final class GeneralSettings {
    private static final Map<String, Meaning> ALL = new LinkedHashMap<>();

    static {
        listening();
        pools();
        limits();
        timeouts();
        authentication();
        tls();
        logging();
        rest();
    }

    private GeneralSettings() {}

    /** In the order of the documentation. */
    static Map<String, Meaning> all() {
        return Collections.unmodifiableMap(ALL);
    }

    static @Nullable Meaning of(String name) {
        return ALL.get(name);
    }

    private static void same(ValueForm form, String... names) {
        for (String name : names) {
            ALL.put(name, new Same(name, form, null));
        }
    }

    /** Where PgBouncer's default is another one than pgproxy's. */
    private static void defaulting(ValueForm form, String name, String otherwise) {
        ALL.put(name, new Same(name, form, otherwise));
    }

    private static void none(@Nullable String harmless, String why, String... names) {
        for (String name : names) {
            ALL.put(name, new None(harmless, why));
        }
    }

    private static void listening() {
        defaulting(ValueForm.LIST, "listen_addr", "");
        same(ValueForm.NUMBER, "listen_port");
        defaulting(ValueForm.FILE, "unix_socket_dir", "/tmp");
        same(ValueForm.MODE, "unix_socket_mode");
        none(
                "",
                "the socket has the group of its process; use unix_socket_mode and the directory",
                "unix_socket_group");
        defaulting(ValueForm.NUMBER, "listen_backlog", "128");
        same(ValueForm.FLAG, "so_reuseport", "tcp_keepalive");
        same(ValueForm.WHOLE_SECONDS, "tcp_keepidle", "tcp_keepintvl");
        same(ValueForm.NUMBER, "tcp_keepcnt");
        same(ValueForm.MILLIS, "tcp_user_timeout");
        none(null, "a connection is cheap before its first byte; client_login_timeout ends it", "tcp_defer_accept");
        same(ValueForm.NUMBER, "peer_id");
    }

    private static void pools() {
        defaulting(ValueForm.CHOICE, "pool_mode", "session");
        same(ValueForm.SERVERS, "default_pool_size");
        ALL.put("min_pool_size", new Special("`min_pool_size`, at most `default_pool_size`"));
        same(ValueForm.NUMBER, "reserve_pool_size");
        same(ValueForm.SECONDS, "reserve_pool_timeout");
        ALL.put(
                "max_prepared_statements",
                new Special("`max_prepared_statements`; 0: they are kept all the same, 200 of them"));
        same(ValueForm.FLAG, "application_name_add_host");
        none("0", "the server that was used last is used first", "server_round_robin");
        ALL.put(
                "track_extra_parameters",
                new Special("`allow_startup_parameters`, beside those that PgBouncer always tracks"));
        same(ValueForm.LIST, "ignore_startup_parameters");
        none(
                "DISCARD ALL",
                "what a session has changed is undone before another one gets the server, in every pool mode",
                "server_reset_query");
        none("0", "a session keeps its state from transaction to transaction", "server_reset_query_always");
        none(null, "idle servers are watched all the time", "server_check_query", "server_check_delay");
        none("0", "a session keeps its server until it ends, also after RECONNECT", "server_fast_close");
        none("0", "the simple query protocol stays allowed; statement_rules can refuse statements", "disable_pqexec");
    }

    private static void limits() {
        defaulting(ValueForm.NUMBER, "max_client_conn", "100");
        same(
                ValueForm.NUMBER,
                "max_db_connections",
                "max_db_client_connections",
                "max_user_connections",
                "max_user_client_connections");
        none("2147483647", "messages of any length pass; see max_statement_size", "max_packet_size");
    }

    private static void timeouts() {
        same(
                ValueForm.SECONDS,
                "query_timeout",
                "query_wait_timeout",
                "cancel_wait_timeout",
                "client_idle_timeout",
                "client_login_timeout",
                "idle_transaction_timeout",
                "transaction_timeout",
                "server_connect_timeout",
                "server_login_retry",
                "dns_max_ttl");
        same(ValueForm.WHOLE_SECONDS, "query_wait_notify");
        same(ValueForm.LIFETIME, "server_lifetime");
        defaulting(ValueForm.SECONDS, "server_idle_timeout", "600");
        none(null, "there is no SUSPEND; SIGTERM drains", "suspend_timeout");
        none(null, "pools that nobody uses are forgotten", "autodb_idle_timeout");
        none(null, "a name that is not found is looked up again with the next connection", "dns_nxdomain_ttl");
        none("0", "names are looked up again after dns_max_ttl", "dns_zone_check_period");
        none("", "the system's resolver is asked, by its own resolv.conf", "resolv_conf");
    }

    private static void authentication() {
        ALL.put(
                "auth_type",
                new Special("`auth_type`; where it is not set `md5`; `any`, `pam` and `ldap` are refused"));
        same(ValueForm.FILE, "auth_file");
        ALL.put("auth_hba_file", new Special("`auth_hba_file`, if `auth_type = hba`"));
        ALL.put("auth_ident_file", new Special("`auth_ident_file`, if `auth_type = hba`"));
        none("", "there is no LDAP", "auth_ldap_options");
        same(ValueForm.TEXT, "auth_user", "auth_query", "auth_dbname");
        none("4096", "SCRAM verifiers that are made of plain passwords have 4096 iterations", "scram_iterations");
        same(ValueForm.LIST, "admin_users", "stats_users");
    }

    private static void tls() {
        for (String side : new String[] {"client", "server"}) {
            same(ValueForm.CHOICE, side + "_tls_sslmode");
            for (String file : new String[] {"key", "cert", "ca"}) {
                ALL.put(
                        side + "_tls_" + file + "_file",
                        new Special(
                                "`" + side + "_tls_" + file + "_file`, unless `" + side + "_tls_sslmode = disable`"));
            }
            same(ValueForm.PROTOCOLS, side + "_tls_protocols");
            ALL.put(
                    side + "_tls_ciphers",
                    new Special("`" + side
                            + "_tls_ciphers`, by Java's names, if only suites are named; else Java's choice"));
            ALL.put(side + "_tls13_ciphers", new Special("`" + side + "_tls_ciphers`, together with the others"));
        }
        none("auto", "Java chooses how keys are exchanged", "client_tls_dheparams", "client_tls_ecdhcurve");
    }

    private static void logging() {
        same(ValueForm.FLAG, "log_connections", "log_disconnections", "log_pooler_errors", "log_stats");
        same(ValueForm.WHOLE_SECONDS, "stats_period");
        ALL.put("verbose", new Same("log_level", ValueForm.VERBOSITY, null));
        same(ValueForm.FILE, "logfile");
        none("0", "the log goes to standard error, which systemd's journal keeps, and to logfile", "syslog");
        none(null, "see syslog", "syslog_ident", "syslog_facility");
    }

    private static void rest() {
        same(ValueForm.FILE, "pidfile");
        none(
                System.getProperty("user.name", ""),
                "pgproxy stays the user who starts it: start it as that user",
                "user");
        none(null, "RELOAD reads the file that pgproxy was started with", "conffile");
        none(null, "it belongs to the service manager", "service_name", "job_name");
        none(null, "buffers grow and shrink by themselves", "pkt_buf", "sbuf_loopcnt", "tcp_socket_buffer");
    }
}
