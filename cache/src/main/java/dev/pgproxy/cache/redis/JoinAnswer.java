package dev.pgproxy.cache.redis;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What Redis holds when an instance joins: everything that was said before. Immutable.
 *
 * @param generation of the epochs
 * @param settled whether everybody has had the time to come into it
 * @param base the number to which all epochs were raised last
 * @param members instances that are there, this one included
 * @param lost instances that have vanished, and their incarnations
 * @param doubts of all instances
 */
record JoinAnswer(
        String generation,
        boolean settled,
        long base,
        Map<String, Seen> members,
        Map<String, Long> lost,
        List<Doubt> doubts,
        List<Raise> epochs) {

    /** The field in which each hash has the generation. */
    private static final String MARK = "#";

    /** An incarnation of an instance, and its last sign of life. */
    record Seen(long incarnation, long number) {}

    /** Tables that were last written at a number. */
    record Raise(String database, TableSet tables, long sequence) {}

    static JoinAnswer parse(List<Object> answer) {
        Map<String, Long> lost = new HashMap<>();
        List<?> lostWords = (List<?>) answer.get(4);
        for (int i = 0; i < lostWords.size(); i += 2) {
            if (lostWords.get(i).equals(MARK)) {
                continue;
            }
            lost.put((String) lostWords.get(i), Long.parseLong((String) lostWords.get(i + 1)));
        }
        List<Doubt> doubts = new ArrayList<>();
        for (Object doubt : (List<?>) answer.get(5)) {
            if (!doubt.equals(answer.get(0))) {
                doubts.add(Doubt.parse((String) doubt));
            }
        }
        List<Raise> epochs = new ArrayList<>();
        List<?> epochWords = (List<?>) answer.get(6);
        for (int i = 0; i < epochWords.size(); i += 2) {
            if (epochWords.get(i).equals(MARK)) {
                continue;
            }
            String[] name = ((String) epochWords.get(i)).split(" ", -1);
            epochs.add(new Raise(
                    Doubt.decoded(name[0]), TableSet.parse(name[1]), Long.parseLong((String) epochWords.get(i + 1))));
        }
        return new JoinAnswer(
                (String) answer.get(0),
                answer.get(1).equals("1"),
                Long.parseLong((String) answer.get(2)),
                members((List<?>) answer.get(3)),
                lost,
                doubts,
                epochs);
    }

    /** Instances, each followed by its incarnation and the number of its last sign of life. */
    static Map<String, Seen> members(List<?> words) {
        Map<String, Seen> members = new HashMap<>();
        for (int i = 0; i < words.size(); i += 2) {
            if (words.get(i).equals(MARK)) {
                continue;
            }
            String[] seen = ((String) words.get(i + 1)).split(" ", -1);
            members.put((String) words.get(i), new Seen(Long.parseLong(seen[0]), Long.parseLong(seen[1])));
        }
        return members;
    }
}
