package dev.pgproxy.query;

import dev.pgproxy.route.SessionView;
import dev.pgproxy.routing.catalog.Catalog;
import dev.pgproxy.routing.catalog.Reading;
import dev.pgproxy.routing.catalog.SearchPath;
import dev.pgproxy.routing.sql.Shape;
import org.jspecify.annotations.Nullable;

/**
 * What a client's texts mean where it looks for names. The last one is remembered, as the same is asked several times for each
 * exchange, and clients ask the same again: what all clients share is far away in memory. Confined to the client's loop.
 */
final class Readings {
    private final SessionView view;
    private @Nullable Shape shape;
    private @Nullable Reading reading;
    private @Nullable SearchPath path;

    /** And not the catalog itself, which would be kept alive by a client that does nothing any more. */
    private long definitions;

    Readings(SessionView view) {
        this.view = view;
    }

    /** What texts of a shape mean by these definitions; null while they are being read. */
    @Nullable
    Reading of(Shape asked, Catalog catalog) {
        SearchPath now = view.path();
        if (asked == shape && now == path && catalog.version() == definitions) {
            return reading;
        }
        Reading found = asked.reading(catalog, now);
        shape = found == null ? null : asked;
        reading = found;
        path = now;
        definitions = catalog.version();
        return found;
    }
}
