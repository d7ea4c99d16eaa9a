package dev.pgproxy.server;

import dev.pgproxy.config.HostAddress;
import dev.pgproxy.net.ServerTls;
import java.time.Duration;
import java.util.Map;

/**
 * Where to log in, and as whom. Immutable.
 *
 * @param parameters run-time parameters of the start-up message besides user and database
 * @param timeout for connecting and logging in together
 */
public record ServerTarget(
        HostAddress host,
        String database,
        String user,
        Map<String, String> parameters,
        Credentials credentials,
        ServerTls tls,
        Duration timeout) {}
