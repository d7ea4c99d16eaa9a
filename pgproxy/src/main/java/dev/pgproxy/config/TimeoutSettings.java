package dev.pgproxy.config;

import java.time.Duration;

/**
 * How long anything may last; zero = no limit. Immutable.
 *
 * @param queryWaitTimeout a client waiting for a server
 * @param queryWaitNotify after how long a waiting client is told by a NOTICE
 * @param queryTimeout one exchange on a server
 * @param transactionTimeout one transaction
 * @param idleTransactionTimeout a client idle inside a transaction
 * @param clientIdleTimeout a client idle outside a transaction
 * @param clientLoginTimeout from connecting to being authenticated
 * @param serverConnectTimeout connecting and logging in to a server
 * @param serverLoginRetry longest pause after failed logins to a server
 * @param serverLifetime age at which an unused server is closed, jittered
 * @param serverIdleTimeout how long a server may be unused
 * @param cancelWaitTimeout a cancel request waiting for a connection to the server
 * @param shutdownTimeout a drain: what is not at a transaction boundary by then is closed
 * @param tcpUserTimeout unacknowledged bytes before TCP gives up, of clients and servers
 * @param dnsMaxTtl how long an address that was looked up is used
 */
public record TimeoutSettings(
        Duration queryWaitTimeout,
        Duration queryWaitNotify,
        Duration queryTimeout,
        Duration transactionTimeout,
        Duration idleTransactionTimeout,
        Duration clientIdleTimeout,
        Duration clientLoginTimeout,
        Duration serverConnectTimeout,
        Duration serverLoginRetry,
        Duration serverLifetime,
        Duration serverIdleTimeout,
        Duration cancelWaitTimeout,
        Duration shutdownTimeout,
        Duration tcpUserTimeout,
        Duration dnsMaxTtl) {
    static final SettingGroup GROUP = new SettingGroup("Time-outs");
    static final Setting<Duration> QUERY_WAIT_TIMEOUT =
            timeout("query_wait_timeout", 120, "A client that waits longer for a server is refused; 0 = never.");
    static final Setting<Duration> QUERY_WAIT_NOTIFY =
            timeout("query_wait_notify", 5, "A client that waits longer for a server gets a NOTICE; 0 = none.");
    static final Setting<Duration> QUERY_TIMEOUT =
            timeout("query_timeout", 0, "A longer query is cancelled and its client closed; 0 = never.");
    static final Setting<Duration> TRANSACTION_TIMEOUT =
            timeout("transaction_timeout", 0, "A longer transaction is rolled back and its client closed; 0 = never.");
    static final Setting<Duration> IDLE_TRANSACTION_TIMEOUT = timeout(
            "idle_transaction_timeout", 0, "A client idle for longer inside a transaction is closed; 0 = never.");
    static final Setting<Duration> CLIENT_IDLE_TIMEOUT =
            timeout("client_idle_timeout", 0, "A client idle for longer outside a transaction is closed; 0 = never.");
    static final Setting<Duration> CLIENT_LOGIN_TIMEOUT =
            timeout("client_login_timeout", 60, "A client that takes longer to log in is closed; 0 = never.");
    static final Setting<Duration> SERVER_CONNECT_TIMEOUT = timeout(
            "server_connect_timeout", 15, "Connecting and logging in to a server may take so long; 0 = any time.");
    static final Setting<Duration> SERVER_LOGIN_RETRY = timeout(
            "server_login_retry",
            15,
            "The longest pause before connecting again after failed logins; it begins at 1s and doubles; 0 = none.");
    static final Setting<Duration> SERVER_LIFETIME = timeout(
            "server_lifetime",
            3600,
            "A server this old is closed when it is free, jittered so that not all go at once; 0 = never.");
    static final Setting<Duration> SERVER_IDLE_TIMEOUT =
            timeout("server_idle_timeout", 300, "A server unused for longer is closed; 0 = never.");
    static final Setting<Duration> CANCEL_WAIT_TIMEOUT = timeout(
            "cancel_wait_timeout", 10, "A cancel request that cannot be delivered by then is dropped; 0 = never.");
    static final Setting<Duration> SHUTDOWN_TIMEOUT = timeout(
            "shutdown_timeout",
            30,
            "While stopping, clients still inside a transaction by then are closed; 0 = wait for all.");
    static final Setting<Duration> TCP_USER_TIMEOUT = timeout(
            "tcp_user_timeout",
            0,
            "A peer that acknowledges nothing for longer is given up; 0 = the system's. Linux only.");
    static final Setting<Duration> DNS_MAX_TTL =
            timeout("dns_max_ttl", 15, "How long a looked-up address of a server is used; 0 = look up each time.");

    private static Setting<Duration> timeout(String key, int seconds, String description) {
        return GROUP.live(key, SettingTypes.timeout(), Duration.ofSeconds(seconds), description);
    }

    static TimeoutSettings from(SettingValues values) {
        return new TimeoutSettings(
                values.get(QUERY_WAIT_TIMEOUT),
                values.get(QUERY_WAIT_NOTIFY),
                values.get(QUERY_TIMEOUT),
                values.get(TRANSACTION_TIMEOUT),
                values.get(IDLE_TRANSACTION_TIMEOUT),
                values.get(CLIENT_IDLE_TIMEOUT),
                values.get(CLIENT_LOGIN_TIMEOUT),
                values.get(SERVER_CONNECT_TIMEOUT),
                values.get(SERVER_LOGIN_RETRY),
                values.get(SERVER_LIFETIME),
                values.get(SERVER_IDLE_TIMEOUT),
                values.get(CANCEL_WAIT_TIMEOUT),
                values.get(SHUTDOWN_TIMEOUT),
                values.get(TCP_USER_TIMEOUT),
                values.get(DNS_MAX_TTL));
    }
}
