package dev.pgproxy.server;

import dev.pgproxy.config.HostAddress;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Who a server connection is. Immutable.
 *
 * @param id counts connections, for logs and SHOW SERVERS
 * @param database its name on the host
 * @param processId of its backend
 * @param secret to cancel with
 * @param tls the TLS version and cipher, or empty
 */
public record ServerIdentity(
        long id, HostAddress host, String database, String user, int processId, byte[] secret, String tls) {
    private static final AtomicLong COUNTER = new AtomicLong();

    /** The next number. */
    static long nextId() {
        return COUNTER.incrementAndGet();
    }

    @Override
    public String toString() {
        return "S-" + id + " " + host + " " + database + "/" + user;
    }
}
