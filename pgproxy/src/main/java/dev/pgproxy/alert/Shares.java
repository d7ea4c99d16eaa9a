package dev.pgproxy.alert;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/** Shares of what was counted within the last window of time. Times are nanoseconds of one clock. Confined to one thread. */
final class Shares {
    /** Of fewer a share says nothing. */
    static final long LEAST = 100;

    /** There is no share of so little. */
    static final double NONE = -1;

    private record Counted(long at, long part, long whole) {}

    private final Map<String, Deque<Counted>> bySubject = new HashMap<>();

    /**
     * Percent that the part is of the whole since the window began, or {@link #NONE}.
     *
     * @param part counted since the start
     * @param whole counted since the start, the part included
     */
    double percent(String subject, long part, long whole, long window, long now) {
        Deque<Counted> counted = bySubject.computeIfAbsent(subject, name -> new ArrayDeque<>());
        Counted last = counted.peekLast();
        if (last != null && (whole < last.whole || part < last.part)) {
            counted.clear(); // it was forgotten, and counts anew
        }
        counted.addLast(new Counted(now, part, whole));
        while (counted.size() > 2 && now - counted.getFirst().at > window) {
            counted.removeFirst();
        }
        Counted first = counted.getFirst();
        long all = whole - first.whole;
        return all < LEAST ? NONE : 100.0 * (part - first.part) / all;
    }

    /** Forgets all others. */
    void keep(Set<String> subjects) {
        bySubject.keySet().retainAll(subjects);
    }
}
