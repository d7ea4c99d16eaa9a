package dev.pgproxy.consistency;

import dev.pgproxy.testing.Endpoint;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/** What sessions connect to: an address, or a {@link SplitLink} over a primary and its replicas. */
final class Targets {
    private Targets() {}

    /** Half of the sessions speak the protocol themselves, the others are pgjdbc in each of its styles. */
    static Link.Target at(Endpoint endpoint) {
        return session -> open(endpoint, session);
    }

    /** The same at one of several addresses, by session. */
    static Link.Target among(List<Endpoint> endpoints) {
        return session -> open(endpoints.get(session / 2 % endpoints.size()), session);
    }

    /** The protocol, and no guise: for writes past a proxy. */
    static Link.Target plain(Endpoint endpoint) {
        return session -> new RawLink(endpoint, Guise.USUAL);
    }

    /** Splits in the client, with a fault. */
    static Link.Target split(Fault fault, Endpoint primary, List<Endpoint> replicas) {
        return session -> {
            List<Link> links = new ArrayList<>();
            try {
                links.add(open(primary, session));
                for (Endpoint replica : replicas) {
                    links.add(open(replica, session));
                }
                return new SplitLink(fault, session, links);
            } catch (RuntimeException | Error e) {
                links.forEach(Link::close);
                throw e;
            }
        };
    }

    private static Link open(Endpoint endpoint, int session) {
        if (session % 2 == 0) {
            return new RawLink(endpoint, Guise.of(session));
        }
        Link.Style style = Link.Style.values()[session / 2 % 3];
        try {
            return new JdbcLink(endpoint, style, session / 6 % 2 == 0);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }
}
