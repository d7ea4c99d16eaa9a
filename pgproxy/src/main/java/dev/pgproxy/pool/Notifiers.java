package dev.pgproxy.pool;

import dev.pgproxy.config.HostAddress;
import dev.pgproxy.server.ServerIdentity;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Which client notified last through which server: a notification carries the process id of the backend, and a client
 * is to see the one that the sender knows as its own. Thread-safe.
 */
public final class Notifiers {
    private record Backend(HostAddress host, int processId) {}

    private final Map<Backend, Integer> clients = new ConcurrentHashMap<>();

    /** A client with this process id may notify through that server from now on. */
    public void notifies(ServerIdentity server, int client) {
        clients.put(new Backend(server.host(), server.processId()), client);
    }

    /**
     * The process id to show for a notification from this backend: the client's where it is known, and never that of
     * {@code notThisClient}, who is another.
     */
    public int shown(HostAddress host, int processId, int notThisClient) {
        int client = clients.getOrDefault(new Backend(host, processId), processId);
        int shown = client == notThisClient ? processId : client;
        return shown == notThisClient ? 0 : shown;
    }

    /** The server is closed: PostgreSQL may give its process id to anybody. */
    void closed(ServerIdentity server) {
        clients.remove(new Backend(server.host(), server.processId()));
    }
}
