package dev.pgproxy.health.failover;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * For which replicas commits wait. Immutable. Source: manual, {@code synchronous_standby_names}; src/backend/replication/
 * syncrep_gram.y.
 *
 * @param wanted how many of them must have a commit before it is acknowledged; 0 = none, replication is asynchronous
 * @param names which may be these, in lower case; {@code *} = every one
 */
record SynchronousStandbys(int wanted, List<String> names) {
    private static final Pattern TOKEN = Pattern.compile("\"((?:[^\"]|\"\")*)\"|([*(),])|([^\\s*(),\"]+)");

    SynchronousStandbys {
        names = List.copyOf(names);
    }

    /** Of a text that PostgreSQL has accepted. */
    static SynchronousStandbys parse(String text) {
        List<String> names = new ArrayList<>();
        int wanted = 1;
        Matcher token = TOKEN.matcher(text);
        while (token.find()) {
            String sign = token.group(2);
            if (token.group(1) != null) {
                names.add(token.group(1).replace("\"\"", "\"").toLowerCase(Locale.ROOT));
            } else if ("(".equals(sign)) {
                // what came before was no name: FIRST 2 (, ANY 2 ( or 2 (
                wanted = Integer.parseInt(names.getLast());
                names.clear();
            } else if ("*".equals(sign)) {
                names.add("*");
            } else if (sign == null) {
                names.add(token.group(3).toLowerCase(Locale.ROOT));
            }
        }
        return new SynchronousStandbys(names.isEmpty() ? 0 : wanted, names);
    }

    boolean isAsynchronous() {
        return wanted == 0;
    }

    /** Whether commits may wait for a replica of this name. */
    boolean names(String applicationName) {
        return names.contains("*") || names.contains(applicationName.toLowerCase(Locale.ROOT));
    }

    /**
     * How many of those that are named must be seen, so that at least one of them has each acknowledged commit.
     *
     * @param replicas how many there are in all
     */
    int needed(int replicas) {
        if (isAsynchronous()) {
            return 0;
        }
        int candidates = names.contains("*") ? Math.max(replicas, wanted) : names.size();
        return Math.max(1, candidates - wanted + 1);
    }
}
