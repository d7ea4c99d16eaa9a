package dev.pgproxy.config;

import com.typesafe.config.ConfigOrigin;
import java.util.Comparator;

/**
 * Where something was written. Immutable.
 *
 * @param source a file as it was named, or a part of the command line, or an environment variable
 * @param line from 1; 0 = the source has no lines
 */
record Place(String source, int line) implements Comparable<Place> {
    private static final Comparator<Place> ORDER =
            Comparator.comparing(Place::source).thenComparingInt(Place::line);

    static Place of(ConfigOrigin origin) {
        String file = origin.filename();
        int line = Math.max(0, origin.lineNumber());
        return new Place(file == null ? origin.description().replaceFirst(": " + line + "$", "") : file, line);
    }

    @Override
    public int compareTo(Place other) {
        return ORDER.compare(this, other);
    }

    @Override
    public String toString() {
        return line == 0 ? source : source + ":" + line;
    }
}
