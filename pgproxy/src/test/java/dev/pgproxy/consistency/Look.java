package dev.pgproxy.consistency;

import java.util.List;
import java.util.Locale;

/**
 * One exchange with reads, for the words of a violation. Immutable.
 *
 * @param transaction the kind of transaction around it
 * @param sent before it was sent, by {@link System#nanoTime}
 */
record Look(Viewer viewer, String transaction, Link link, Link.Style style, List<Sql> statements, long sent) {

    String toString(long start) {
        String host = link.host();
        return viewer.name + " (" + viewer.guise + "), " + transaction + ", " + style + " by "
                + link.getClass().getSimpleName() + ", sent at " + ms(sent, start) + ", answered before "
                + ms(System.nanoTime(), start) + (host.isEmpty() ? "" : " by " + host) + ": "
                + String.join("; ", statements.stream().map(Sql::text).toList());
    }

    static String ms(long moment, long start) {
        return String.format(Locale.ROOT, "%.3f ms", (moment - start) / 1e6);
    }
}
