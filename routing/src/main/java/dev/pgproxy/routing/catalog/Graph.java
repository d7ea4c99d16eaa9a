package dev.pgproxy.routing.catalog;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What happens when something is done to an object of the database, and what else is done thereby. A node is an act on an
 * object; its closure is the union over all nodes that can be reached, cycles included. Nodes and edges come first, then
 * {@link #close}, then closures are asked for. Confined to its thread.
 */
final class Graph {
    /** Sets larger than this become {@link RelationSet#ALL}, so that closures cannot grow with the square of a schema. */
    static final int MOST_NAMED = 4096;

    /** What is done. Immutable. */
    enum Act {
        READ,
        WRITE,
        TRUNCATE,
        /** Calling a function, by a statement, a trigger, or anything else. */
        CALL,
        /** Making a value of a type: its input function, its CHECK. */
        MAKE
    }

    private final Map<Long, Integer> places = new HashMap<>();
    private final List<Reading> own = new ArrayList<>();
    private final List<Set<Integer>> edges = new ArrayList<>();
    private @Nullable Reading[] closures = {};

    /** The node for an act on the object with this OID. */
    static long node(Act act, int oid) {
        return ((long) act.ordinal() << 32) | Integer.toUnsignedLong(oid);
    }

    private int place(long node) {
        return places.computeIfAbsent(node, ignored -> {
            own.add(Reading.NOTHING);
            edges.add(Set.of());
            return own.size() - 1;
        });
    }

    /** What the act means by itself. */
    void put(long node, Reading reading) {
        int place = place(node);
        own.set(place, own.get(place).with(reading));
    }

    void edge(long from, long to) {
        if (from == to) {
            return;
        }
        int place = place(from);
        if (edges.get(place).isEmpty()) {
            edges.set(place, new LinkedHashSet<>());
        }
        edges.get(place).add(place(to));
    }

    boolean hasEdges(long from) {
        return !edges.get(place(from)).isEmpty();
    }

    Reading closure(long node) {
        Integer place = places.get(node);
        Reading closure = place == null ? null : closures[place];
        return closure == null ? Reading.NOTHING : closure;
    }

    Reading closure(Collection<Long> nodes) {
        Reading union = Reading.NOTHING;
        for (Long node : nodes) {
            union = union.with(closure(node));
        }
        return union;
    }

    /**
     * Computes all closures, each from those of the nodes behind it: the components of nodes that reach each other are
     * found in that order by R. Tarjan, Depth-first search and linear graph algorithms (1972), here without recursion.
     */
    void close() {
        closures = new @Nullable Reading[own.size()];
        new Components().visitAll();
    }

    /** The search for components. Confined to its thread. */
    private final class Components {
        private final int[] found = new int[own.size()];
        private final int[] low = new int[own.size()];
        private final int[] path = new int[own.size()];
        private final int[] open = new int[own.size()];
        private final List<int[]> targets = new ArrayList<>(own.size());
        private final int[] next = new int[own.size()];
        private int pathLength;
        private int openCount;
        private int count;

        void visitAll() {
            for (Set<Integer> set : edges) {
                targets.add(set.stream().mapToInt(Integer::intValue).toArray());
            }
            for (int start = 0; start < found.length; start++) {
                if (found[start] == 0) {
                    enter(start);
                }
                while (pathLength > 0) {
                    step(path[pathLength - 1]);
                }
            }
        }

        private void enter(int node) {
            found[node] = ++count;
            low[node] = count;
            path[pathLength++] = node;
            open[openCount++] = node;
        }

        private void step(int node) {
            int[] behind = targets.get(node);
            if (next[node] < behind.length) {
                int to = behind[next[node]++];
                if (found[to] == 0) {
                    enter(to);
                } else if (closures[to] == null) {
                    low[node] = Math.min(low[node], found[to]);
                }
                return;
            }
            pathLength--;
            if (pathLength > 0) {
                int before = path[pathLength - 1];
                low[before] = Math.min(low[before], low[node]);
            }
            if (low[node] == found[node]) {
                finish(node);
            }
        }

        /** The component is what was opened since this node, its first; nothing behind it is open any more. */
        private void finish(int first) {
            int from = openCount;
            do {
                from--;
            } while (open[from] != first);
            Reading union = Reading.NOTHING;
            for (int i = from; i < openCount; i++) {
                union = union.with(own.get(open[i]));
            }
            for (int i = from; i < openCount; i++) {
                for (int to : targets.get(open[i])) {
                    Reading behind = closures[to];
                    if (behind != null) {
                        union = union.with(behind);
                    }
                }
            }
            union = union.bounded(MOST_NAMED);
            for (int i = from; i < openCount; i++) {
                closures[open[i]] = union;
            }
            openCount = from;
        }
    }
}
