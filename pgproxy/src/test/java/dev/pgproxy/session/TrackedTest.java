package dev.pgproxy.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Against a stack of values; {@code -Dtracked.seed=} repeats a run. */
final class TrackedTest {
    private static final long SEED = Long.getLong("tracked.seed", System.nanoTime());

    private record Level(String name, int value) {}

    @Test
    void aValueFollowsTransactionsAndSavepoints() {
        Random random = new Random(SEED);
        Tracked<Integer> tracked = new Tracked<>(0);
        List<Level> levels = new ArrayList<>();
        int committed = 0;
        int current = 0;
        for (int step = 0; step < 100_000; step++) {
            String name = "s" + random.nextInt(3);
            int at = -1;
            for (int i = 0; i < levels.size(); i++) {
                at = levels.get(i).name().equals(name) ? i : at;
            }
            switch (random.nextInt(12)) {
                case 0 -> {
                    tracked.commit();
                    committed = current;
                    levels.clear();
                }
                case 1 -> {
                    tracked.rollback();
                    current = committed;
                    levels.clear();
                }
                case 2, 3 -> {
                    tracked.savepoint(name);
                    levels.add(new Level(name, current));
                }
                case 4 -> {
                    tracked.release(name);
                    if (at >= 0) {
                        levels.subList(at, levels.size()).clear();
                    }
                }
                case 5, 6 -> {
                    tracked.rollbackTo(name);
                    if (at >= 0) {
                        current = levels.get(at).value();
                        levels.subList(at + 1, levels.size()).clear();
                    }
                }
                case 7 -> {
                    if (random.nextInt(20) == 0) {
                        tracked.reset(step);
                        current = step;
                        committed = step;
                        levels.clear();
                    }
                }
                default -> {
                    tracked.set(step);
                    current = step;
                }
            }
            assertThat(tracked.get())
                    .as("-Dtracked.seed=%s, step %s", SEED, step)
                    .isEqualTo(current);
            assertThat(tracked.committed()).isEqualTo(committed);
        }
    }
}
