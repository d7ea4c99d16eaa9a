package dev.pgproxy.migrate;

import java.util.ArrayList;
import java.util.List;

/**
 * What SQL calls something, with its schema if that was written. Immutable.
 *
 * @param parts as they can be written again: with their quotes, or else in small letters
 */
record Name(List<String> parts) {
    Name {
        parts = List.copyOf(parts);
    }

    /** Without the schema. */
    String last() {
        return parts.getLast();
    }

    /** Another one of the same schema. */
    Name sibling(String last) {
        List<String> other = new ArrayList<>(parts.subList(0, parts.size() - 1));
        other.add(last);
        return new Name(other);
    }

    /** A part as the catalog has it. */
    static String plain(String part) {
        return part.startsWith("\"") ? part.substring(1, part.length() - 1).replace("\"\"", "\"") : part;
    }

    @Override
    public String toString() {
        return String.join(".", parts);
    }
}
