package dev.pgproxy.insight;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Which statements have waited for each other until their server ended one of them (40P01): the {@value #MOST} sets of them that
 * were seen last. Thread-safe.
 */
public final class Deadlocks {
    private static final int MOST = 100;
    private static final Pattern NUMBER = Pattern.compile("\\d{1,10}");
    private static final int LONGEST = 100_000;

    /** The same statements, however often. */
    private static final class Seen {
        private final List<DeadlockSide> sides;
        private long times;

        Seen(List<DeadlockSide> sides) {
            this.sides = sides;
        }
    }

    private final Map<Set<String>, Seen> seen = new LinkedHashMap<>(16, 0.75f, true);
    private volatile Consumer<DeadlockVictim> partners = victim -> {};

    /** Who looks for what a victim has waited for, and then {@linkplain #add adds} it. On any loop, and must not block. */
    public void partners(Consumer<DeadlockVictim> look) {
        partners = look;
    }

    void told(DeadlockVictim victim) {
        partners.accept(victim);
    }

    /**
     * The other backends, in the order in which they waited for each other; empty if the DETAIL does not say it. Each of its lines
     * has a backend that waits first and the one that blocks it last, in whatever language (DeadLockReport in PostgreSQL's
     * deadlock.c); together they are a ring.
     */
    public static List<Integer> others(String detail, int victim) {
        Map<Long, Long> blockers = new LinkedHashMap<>();
        for (String line :
                detail.substring(0, Math.min(detail.length(), LONGEST)).split("\n", -1)) {
            List<MatchResult> numbers = NUMBER.matcher(line).results().toList();
            if (numbers.size() < 2) {
                return List.of();
            }
            blockers.put(
                    Long.parseLong(numbers.getFirst().group()),
                    Long.parseLong(numbers.getLast().group()));
        }
        List<Integer> others = new ArrayList<>();
        Set<Long> met = new HashSet<>();
        Long next = blockers.get((long) victim);
        while (next != null && next != victim && met.add(next)) {
            others.add(next.intValue());
            next = blockers.get(next);
        }
        return next != null && next == victim ? others : List.of();
    }

    /** The statements of one deadlock, as far as they passed through here: two or more. */
    public synchronized void add(List<DeadlockSide> sides) {
        Set<String> key = sides.stream().map(DeadlockSide::fingerprint).collect(Collectors.toCollection(TreeSet::new));
        seen.computeIfAbsent(key, each -> new Seen(List.copyOf(sides))).times++;
        if (seen.size() > MOST) {
            seen.remove(seen.keySet().iterator().next());
        }
    }

    /** What a statement was in deadlocks with, and how often, for people; a statement may be in one with itself. */
    public synchronized List<String> with(String fingerprint) {
        List<String> found = new ArrayList<>();
        seen.forEach((key, each) -> {
            if (key.contains(fingerprint)) {
                String others = key.size() == 1
                        ? "itself in another session"
                        : each.sides.stream()
                                .filter(side -> !side.fingerprint().equals(fingerprint))
                                .map(side -> side.fingerprint() + " (" + Printable.of(side.text()) + ")")
                                .distinct()
                                .collect(Collectors.joining(" and "));
                found.add(each.times + (each.times == 1 ? " time with " : " times with ") + others);
            }
        });
        return found;
    }

    /** Nothing is known any more. */
    public synchronized void reset() {
        seen.clear();
    }
}
