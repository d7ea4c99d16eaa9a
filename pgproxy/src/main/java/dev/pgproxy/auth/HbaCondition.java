package dev.pgproxy.auth;

import java.net.InetAddress;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * To whom one line of {@code pg_hba.conf} applies. Immutable.
 *
 * @param addresses null for {@code all}, and on unix sockets
 */
record HbaCondition(
        Connections connections,
        Databases databases,
        Names users,
        @Nullable AddressRange addresses) {
    /** The first field. */
    enum Connections {
        LOCAL,
        HOST,
        HOSTSSL,
        HOSTNOSSL
    }

    /** A list of names, or everything. */
    record Names(boolean all, Set<String> names) {
        boolean contains(String name) {
            return all || names.contains(name);
        }
    }

    /** The second field. {@code all} does not include physical replication, which names no database. */
    record Databases(boolean sameUser, boolean replication, Names names) {}

    /** The parameters are those of {@link HbaRules#match}. */
    boolean holds(
            @Nullable InetAddress address, boolean tls, String database, String user, boolean physicalReplication) {
        boolean connection = switch (connections) {
            case LOCAL -> address == null;
            case HOST -> address != null;
            case HOSTSSL -> address != null && tls;
            case HOSTNOSSL -> address != null && !tls;
        };
        if (!connection || !users.contains(user)) {
            return false;
        }
        if (address != null && addresses != null && !addresses.contains(address)) {
            return false;
        }
        if (physicalReplication) {
            return databases.replication;
        }
        return databases.names.contains(database) || (databases.sameUser && database.equals(user));
    }
}
