package dev.pgproxy.routing.catalog;

import dev.pgproxy.routing.sql.Name;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What names mean under a search_path (manual, 5.10.3 The Schema Search Path), for relations or for functions. Filled by
 * one thread, then immutable.
 */
final class Names<T> {
    private static final String SYSTEM = "pg_catalog";
    private static final String TEMPORARY = "pg_temp";

    private final Map<String, List<Entry<T>>> entries = new HashMap<>();

    private record Entry<T>(String schema, T meaning) {
        boolean isTemporary() {
            return schema.startsWith(TEMPORARY);
        }
    }

    void add(String schema, String name, T meaning) {
        entries.computeIfAbsent(name, ignored -> new ArrayList<>(1)).add(new Entry<>(schema, meaning));
    }

    boolean contains(String name) {
        return entries.containsKey(name);
    }

    /** The meanings in the first schema of the path that has the name, as for relations. */
    List<T> first(Name name, SearchPath path) {
        List<Entry<T>> named = entries.get(name.name());
        if (named == null) {
            return List.of();
        }
        if (name.schema() != null || path.schemas().isEmpty()) {
            return all(name, path);
        }
        if (!path.schemas().contains(SYSTEM)) {
            List<T> found = in(named, SYSTEM);
            if (!found.isEmpty()) {
                return found;
            }
        }
        for (String schema : path.schemas()) {
            List<T> found = in(named, schema);
            if (!found.isEmpty()) {
                return found;
            }
        }
        return temporary(named);
    }

    /** The meanings in all schemas of the path, as for functions, whose arguments are not known. */
    List<T> all(Name name, SearchPath path) {
        List<Entry<T>> named = entries.get(name.name());
        if (named == null) {
            return List.of();
        }
        if (name.schema() != null) {
            return name.schema().equals(TEMPORARY) ? temporary(named) : in(named, name.schema());
        }
        List<T> found = new ArrayList<>(named.size());
        boolean any = path.schemas().isEmpty();
        for (Entry<T> entry : named) {
            boolean reachable = any
                    ? !entry.isTemporary()
                    : entry.schema.equals(SYSTEM) || path.schemas().contains(entry.schema);
            if (reachable) {
                found.add(entry.meaning);
            }
        }
        return found.isEmpty() ? temporary(named) : found;
    }

    private static <T> List<T> in(List<Entry<T>> named, String schema) {
        List<T> found = new ArrayList<>(1);
        for (Entry<T> entry : named) {
            if (entry.schema.equals(schema)) {
                found.add(entry.meaning);
            }
        }
        return found;
    }

    /**
     * Those in temporary schemas, of whatever session: only where the name has no other meaning, because a session that
     * has temporary relations keeps to its server anyway.
     */
    private static <T> List<T> temporary(List<Entry<T>> named) {
        return named.stream().filter(Entry::isTemporary).map(Entry::meaning).toList();
    }
}
