package dev.pgproxy.server;

import dev.pgproxy.config.HostAddress;
import dev.pgproxy.net.ServerTls;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Who a server connection is. Immutable.
 *
 * @param id counts connections, for logs and SHOW SERVERS
 * @param database its name on the host
 * @param processId of its backend
 * @param secret to cancel with
 * @param tls the TLS version and cipher, or empty
 * @param encryption what it was encrypted with, null if it is not: a request to cancel shall be no less safe
 */
public record ServerIdentity(
        long id,
        HostAddress host,
        String database,
        String user,
        int processId,
        byte[] secret,
        String tls,
        @Nullable ServerTls encryption) {
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
