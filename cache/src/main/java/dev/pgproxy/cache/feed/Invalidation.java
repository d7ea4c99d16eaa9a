package dev.pgproxy.cache.feed;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a notification on channel {@code pgproxy_invalidate} says was written. Immutable.
 *
 * <pre>
 *   oid:16385 16402        from triggers: these named tables, as pg_class.oid has them
 *   table:public.orders    by hand: a relation as SQL or the catalog spells it; without a schema, that of every schema
 *   all                    everything in the database
 *   schema, schema:why     definitions have changed, and everything with them
 * </pre>
 */
public sealed interface Invalidation {
    /** How a payload begins that says why definitions have changed. */
    String SCHEMA = "schema:";

    /** Statements have named these tables as their targets. */
    record Targets(Set<Integer> oids) implements Invalidation {
        public Targets {
            oids = Set.copyOf(oids);
        }
    }

    /** A relation was written. */
    record Named(Spelling spelling) implements Invalidation {}

    /** Anything may have been written. */
    record Everything() implements Invalidation {}

    /**
     * Definitions have changed, so that anything may read differently.
     *
     * @param why for people; empty if nobody says
     */
    record Definitions(String why) implements Invalidation {}

    /** It cannot be read, so that anything may have been written. */
    record Unreadable(String payload) implements Invalidation {}

    /**
     * How a relation is called. Immutable.
     *
     * @param text as it came, which may be the catalog's spelling of schema and name
     * @param folded as SQL reads it: without quotes, in small letters where there were none; the schema first, if there is one
     */
    record Spelling(String text, List<String> folded) {
        public Spelling {
            folded = List.copyOf(folded);
        }
    }

    /** Reads what a notification carries. */
    static Invalidation parse(String payload) {
        if (payload.equals("all")) {
            return new Everything();
        }
        if (payload.equals("schema") || payload.startsWith(SCHEMA)) {
            return new Definitions(payload.length() < SCHEMA.length() ? "" : payload.substring(SCHEMA.length()));
        }
        Invalidation read = null;
        if (payload.startsWith("oid:")) {
            read = targets(payload.substring("oid:".length()));
        } else if (payload.startsWith("table:")) {
            read = named(payload.substring("table:".length()).strip());
        }
        return read == null ? new Unreadable(payload) : read;
    }

    private static @Nullable Invalidation targets(String text) {
        Set<Integer> oids = new HashSet<>();
        for (String oid : text.strip().split(" +", -1)) {
            try {
                oids.add(Integer.parseUnsignedInt(oid));
            } catch (NumberFormatException e) {
                return null;
            }
        }
        return new Targets(oids);
    }

    private static @Nullable Invalidation named(String text) {
        if (text.isEmpty()) {
            return null;
        }
        List<String> parts = new ArrayList<>();
        int at = 0;
        while (at <= text.length()) {
            boolean quoted = at < text.length() && text.charAt(at) == '"';
            int end = quoted ? closing(text, at + 1) : text.indexOf('.', at);
            if (quoted && (end < 0 || end + 1 < text.length() && text.charAt(end + 1) != '.')) {
                return null;
            }
            end = end < 0 ? text.length() : end;
            String part = text.substring(quoted ? at + 1 : at, end);
            parts.add(quoted ? part.replace("\"\"", "\"") : part.toLowerCase(Locale.ROOT));
            at = quoted ? end + 2 : end + 1;
        }
        return new Named(new Spelling(text, parts));
    }

    /** Where the quote is that ends what begins here. */
    private static int closing(String text, int from) {
        int at = text.indexOf('"', from);
        while (at >= 0 && at + 1 < text.length() && text.charAt(at + 1) == '"') {
            at = text.indexOf('"', at + 2);
        }
        return at;
    }
}
