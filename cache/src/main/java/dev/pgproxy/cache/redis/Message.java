package dev.pgproxy.cache.redis;

import java.util.ArrayList;
import java.util.List;

/**
 * What instances tell each other, as texts of words with a space between them. On the channel of all:
 *
 * <pre>
 *   J id incarnation batch dirty base doubt…   has joined; dirty: everything was written; also doubts that others left
 *   B id incarnation number id:number…         a sign of life, and the last one heard from each other instance
 *   D id incarnation batch doubt…              may be about to write
 *   S id sequence settlement…                  outcomes; tables written have this sequence number now
 *   A id base                                  everything was written
 *   E id base                                  every epoch is raised, though nothing was written
 *   L id incarnation                           has vanished without a goodbye
 *   F id incarnation base                      of that one nothing is expected any more; everything was written
 *   G id incarnation                           has left
 * </pre>
 *
 * On the channel of one instance: {@code C id incarnation batch}, what it said up to this batch is applied there.
 */
sealed interface Message {
    /** An instance is there, with these doubts. */
    record Joined(String id, long incarnation, long batch, boolean dirty, long base, List<Doubt> doubts)
            implements Message {}

    /** An instance lives, and has heard these from others. */
    record Beat(String id, long incarnation, long number, List<Doubt.Id> heard) implements Message {}

    /** Writes that may be about to begin. */
    record Doubts(String id, long incarnation, long batch, List<Doubt> doubts) implements Message {}

    /** Writes that have ended. */
    record Settled(String id, long sequence, List<Settlement> settlements) implements Message {}

    /** Every epoch is raised. */
    record Raised(String id, boolean written, long base) implements Message {}

    /** An instance has vanished. */
    record Lost(String id, long incarnation) implements Message {}

    /** Nothing is expected of it any more. */
    record Forgotten(String id, long incarnation, long base) implements Message {}

    /** An instance has left. */
    record Left(String id, long incarnation) implements Message {}

    /** Another instance has applied what this one said. */
    record Confirmed(String id, long incarnation, long batch) implements Message {}

    /** Reads one. Throws IllegalArgumentException or IndexOutOfBoundsException if it is none. */
    static Message parse(String text) {
        String[] words = text.split(" ", -1);
        String id = words[1];
        long first = Long.parseLong(words[2]);
        return switch (words[0]) {
            case "J" ->
                new Joined(
                        id,
                        first,
                        Long.parseLong(words[3]),
                        words[4].equals("1"),
                        Long.parseLong(words[5]),
                        doubts(words, 6));
            case "B" -> new Beat(id, first, Long.parseLong(words[3]), heard(words));
            case "D" -> new Doubts(id, first, Long.parseLong(words[3]), doubts(words, 4));
            case "S" -> new Settled(id, first, settlements(words));
            case "A" -> new Raised(id, true, first);
            case "E" -> new Raised(id, false, first);
            case "L" -> new Lost(id, first);
            case "F" -> new Forgotten(id, first, Long.parseLong(words[3]));
            case "G" -> new Left(id, first);
            case "C" -> new Confirmed(id, first, Long.parseLong(words[3]));
            default -> throw new IllegalArgumentException("No message begins with " + words[0]);
        };
    }

    private static List<Doubt> doubts(String[] words, int from) {
        List<Doubt> doubts = new ArrayList<>(words.length - from);
        for (int i = from; i < words.length; i++) {
            doubts.add(Doubt.parse(words[i]));
        }
        return doubts;
    }

    private static List<Doubt.Id> heard(String[] words) {
        List<Doubt.Id> heard = new ArrayList<>(words.length);
        for (int i = 4; i < words.length; i++) {
            heard.add(Doubt.Id.parse(words[i]));
        }
        return heard;
    }

    private static List<Settlement> settlements(String[] words) {
        List<Settlement> settlements = new ArrayList<>(words.length);
        for (int i = 3; i < words.length; i++) {
            settlements.add(Settlement.parse(words[i]));
        }
        return settlements;
    }
}
