package dev.pgproxy.config;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** PgBouncer's settings that pgproxy does not have, with what to do instead; for people who move over. */
final class ForeignNames {
    private static final String NOT_NEEDED = "remove it: ";
    private static final Map<String, String> ADVICE = advice();

    private ForeignNames() {}

    /** What to do instead, null where the name is not PgBouncer's either. */
    static @Nullable String advice(String key) {
        return ADVICE.get(key);
    }

    private static Map<String, String> advice() {
        Map<String, String> advice = new HashMap<>();
        put(
                advice,
                "pgproxy resets exactly what a session has changed",
                "server_reset_query",
                "server_reset_query_always");
        put(advice, "every parameter is tracked", "track_extra_parameters");
        put(
                advice,
                "idle servers are watched all the time, see tcp_keepalive",
                "server_check_query",
                "server_check_delay");
        put(advice, "buffers grow and shrink by themselves", "pkt_buf", "sbuf_loopcnt", "tcp_socket_buffer");
        put(advice, "it belongs to the service manager", "job_name", "service_name");
        put(advice, "the log goes to standard error", "syslog", "syslog_ident", "syslog_facility");
        put(advice, "a system's resolver is used", "resolv_conf", "dns_nxdomain_ttl", "dns_zone_check_period");
        put(
                advice,
                "TLS parameters are Java's",
                "client_tls_dheparams",
                "client_tls_ecdhcurve",
                "server_tls_ecdhcurve");
        advice.put("client_tls13_ciphers", "write them into client_tls_ciphers");
        advice.put("server_tls13_ciphers", "write them into server_tls_ciphers");
        advice.put("verbose", "use log_level");
        advice.put("max_packet_size", "remove it: messages are streamed; see max_statement_size");
        advice.put("unix_socket_group", "use the directory's group and unix_socket_mode");
        advice.put("host", "use primary = \"host:port\"");
        advice.put("port", "use primary = \"host:port\"");
        for (String parameter : new String[] {"client_encoding", "datestyle", "timezone"}) {
            advice.put(parameter, "use parameters { " + parameter + " = … }");
        }
        return advice;
    }

    private static void put(Map<String, String> advice, String reason, String... keys) {
        for (String key : keys) {
            advice.put(key, NOT_NEEDED + reason);
        }
    }
}
