package dev.pgproxy.pool;

import dev.pgproxy.server.Credentials;
import dev.pgproxy.server.ServerConnection;
import dev.pgproxy.session.Reported;
import dev.pgproxy.session.SharedStatements;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;

/**
 * What the pools of one database and user have in common on all hosts. Thread-safe.
 *
 * @param credentials what they log in with
 * @param statements shared by their sessions
 * @param sequenceUsers which applications look at the values of sequences
 * @param catalog what is known of the database's definitions
 * @param defaults what the primary reports at the start of a session
 */
record PoolBooks(
        Credentials credentials,
        SharedStatements statements,
        SequenceUsers sequenceUsers,
        Catalog catalog,
        AtomicReference<Reported> defaults) {
    /** A replica may have others in its configuration file, and would read and write values in another way. */
    private static final List<String> GIVEN_TO_REPLICAS =
            List.of("TimeZone", "DateStyle", "IntervalStyle", "standard_conforming_strings", "client_encoding");

    PoolBooks() {
        this(
                new Credentials(),
                new SharedStatements(),
                new SequenceUsers(),
                new Catalog(),
                new AtomicReference<>(Reported.NONE));
    }

    void loggedIn(ServerConnection server, boolean onReplica) {
        if (onReplica) {
            server.passAsPrimary();
        } else {
            defaults.set(server.reported());
        }
    }

    /** The parameters of the configuration, and what a session on the primary has. */
    Map<String, String> onReplica(Map<String, String> configured) {
        Map<String, String> parameters = new LinkedHashMap<>(configured);
        Reported reported = defaults.get();
        for (String name : GIVEN_TO_REPLICAS) {
            String value = reported.get(name);
            if (value != null) {
                parameters.put(name, value);
            }
        }
        return parameters;
    }
}
