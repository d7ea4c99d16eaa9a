package dev.pgproxy.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The ring against a list; {@code -Dqueue.seed=} repeats a run. */
final class ReplyQueueTest {
    private static final long SEED = Long.getLong("queue.seed", System.nanoTime());

    private final ReplyQueue queue = new ReplyQueue();

    private record Entry(int entry, Object note) {}

    /** What the rules say, on a list. */
    private static final class Model {
        private final List<Entry> entries = new ArrayList<>();
        private boolean ignoring;
        private boolean copying;

        private static int kind(Entry e) {
            return e.entry() & ReplyQueue.KIND;
        }

        boolean add(Entry e) {
            boolean sent = (e.entry() & (ReplyQueue.ANSWER | ReplyQueue.SWALLOW)) == 0;
            if (copying && sent && kind(e) == ReplyQueue.SYNC) {
                return true;
            }
            copying &= !(sent && kind(e) == ReplyQueue.COPY_END);
            if (ignoring && kind(e) != ReplyQueue.SYNC) {
                return false;
            }
            ignoring = false;
            if (kind(e) != ReplyQueue.COPY_END || !entries.isEmpty()) {
                entries.add(e);
            }
            return true;
        }

        void remove() {
            entries.removeFirst();
            while (!entries.isEmpty() && kind(entries.getFirst()) == ReplyQueue.COPY_END) {
                entries.removeFirst();
            }
        }

        List<Entry> failed() {
            copying = false;
            List<Entry> dropped = new ArrayList<>();
            int head = entries.isEmpty() ? 0 : kind(entries.getFirst());
            if (head != ReplyQueue.QUERY && head != ReplyQueue.FUNCTION) {
                while (!entries.isEmpty() && kind(entries.getFirst()) != ReplyQueue.SYNC) {
                    dropped.addFirst(entries.removeFirst());
                }
                ignoring = entries.isEmpty();
            }
            return dropped;
        }

        void copyIn() {
            boolean ended = false;
            for (int i = 1; i < entries.size(); i++) {
                ended |= kind(entries.get(i)) == ReplyQueue.COPY_END;
                if (!ended && kind(entries.get(i)) == ReplyQueue.SYNC) {
                    entries.remove(i--);
                }
            }
            copying = !ended;
        }

        int boundaries() {
            return (int)
                    entries.stream().filter(e -> kind(e) <= ReplyQueue.FUNCTION).count();
        }
    }

    @Test
    void aRingBehavesAsAListWhateverHappens() {
        Random random = new Random(SEED);
        for (int round = 0; round < 200; round++) {
            queue.clear();
            Model model = new Model();
            for (int step = 0; step < 300; step++) {
                step(random, model, step);
                assertSame(model, "-Dqueue.seed=" + SEED + ", round " + round + ", step " + step);
            }
        }
    }

    private void step(Random random, Model model, int step) {
        int turn = random.nextInt(20);
        boolean copies = !model.entries.isEmpty()
                && (Model.kind(model.entries.getFirst()) == ReplyQueue.QUERY
                        || Model.kind(model.entries.getFirst()) == ReplyQueue.EXECUTE);
        if (turn < 11) {
            int kind = 1 + random.nextInt(9);
            int how = kind == ReplyQueue.COPY_END
                    ? 0
                    : switch (random.nextInt(6)) {
                        case 0 -> ReplyQueue.SWALLOW;
                        case 1 -> ReplyQueue.ANSWER;
                        default -> 0;
                    };
            Entry entry = new Entry(kind | how, "note " + step);
            assertThat(queue.add(entry.entry(), entry.note())).isEqualTo(model.add(entry));
        } else if (turn == 18 && copies) {
            queue.copyIn();
            model.copyIn();
        } else if (turn == 19) {
            List<Entry> dropped = new ArrayList<>();
            queue.failed((entry, note) -> dropped.add(new Entry(entry, note == null ? "" : note)));
            assertThat(dropped).isEqualTo(model.failed());
        } else if (!model.entries.isEmpty()) {
            queue.remove();
            model.remove();
        }
    }

    private void assertSame(Model model, String how) {
        assertThat(queue.isEmpty()).as(how).isEqualTo(model.entries.isEmpty());
        assertThat(queue.head())
                .as(how)
                .isEqualTo(
                        model.entries.isEmpty() ? 0 : model.entries.getFirst().entry());
        assertThat(queue.note())
                .as(how)
                .isEqualTo(
                        model.entries.isEmpty()
                                ? null
                                : model.entries.getFirst().note());
        assertThat(queue.boundaries()).as(how).isEqualTo(model.boundaries());
        assertThat(queue.isIgnoring()).as(how).isEqualTo(model.ignoring);
    }

    @Test
    void manyEntriesKeepTheirOrder() {
        for (int i = 0; i < 10_000; i++) {
            queue.add(ReplyQueue.BIND, i);
            if (i % 3 == 0) {
                queue.remove();
            }
        }
        for (int i = 3334; i < 10_000; i++) {
            assertThat(queue.note()).isEqualTo(i);
            queue.remove();
        }
        assertThat(queue.isEmpty()).isTrue();
    }

    @Test
    void aNoteOfTheHeadMayBeReplaced() {
        queue.add(ReplyQueue.EXECUTE, "one");
        queue.note("two");
        assertThat(queue.note()).isEqualTo("two");
    }
}
