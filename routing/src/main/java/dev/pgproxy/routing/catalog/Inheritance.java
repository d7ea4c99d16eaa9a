package dev.pgproxy.routing.catalog;

import dev.pgproxy.routing.catalog.CatalogRows.InheritanceRow;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Parents and children, partitioned tables and partitions. Immutable. */
final class Inheritance {
    private final Map<Integer, List<Integer>> parents = new HashMap<>();
    private final Map<Integer, List<Integer>> children = new HashMap<>();

    Inheritance(List<InheritanceRow> rows) {
        for (InheritanceRow row : rows) {
            parents.computeIfAbsent(row.child(), ignored -> new ArrayList<>(1)).add(row.parent());
            children.computeIfAbsent(row.parent(), ignored -> new ArrayList<>()).add(row.child());
        }
    }

    List<Integer> children(int oid) {
        return children.getOrDefault(oid, List.of());
    }

    Set<Integer> ancestors(int oid) {
        return reached(parents, oid);
    }

    Set<Integer> descendants(int oid) {
        return reached(children, oid);
    }

    private static Set<Integer> reached(Map<Integer, List<Integer>> edges, int from) {
        Set<Integer> seen = new LinkedHashSet<>();
        ArrayDeque<Integer> open = new ArrayDeque<>(edges.getOrDefault(from, List.of()));
        while (!open.isEmpty()) {
            Integer oid = open.poll();
            if (seen.add(oid)) {
                open.addAll(edges.getOrDefault(oid, List.of()));
            }
        }
        return seen;
    }
}
