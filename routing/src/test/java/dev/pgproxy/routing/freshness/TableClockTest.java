package dev.pgproxy.routing.freshness;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.routing.catalog.RelationSet;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

final class TableClockTest {
    private final TableClock clock = new TableClock(10);

    @Test
    void whatWasNeverWrittenCountsAsWrittenAtTheStart() {
        assertThat(clock.lastWrite(RelationSet.of(1, 2))).isEqualTo(10);
        assertThat(clock.lastWrite(RelationSet.NONE)).isEqualTo(10);
        assertThat(clock.lastWrite(RelationSet.ALL)).isEqualTo(10);
    }

    @Test
    void aWriteIsInDoubtUntilItsOutcomeIsKnown() {
        clock.doubt(RelationSet.of(1, 2));
        clock.doubt(RelationSet.of(2));
        assertThat(clock.lastWrite(RelationSet.of(1))).isEqualTo(TableClock.IN_DOUBT);
        assertThat(clock.lastWrite(RelationSet.of(3))).isEqualTo(10);
        assertThat(clock.lastWrite(RelationSet.ALL)).isEqualTo(TableClock.IN_DOUBT);
        clock.settle(RelationSet.of(1, 2), 20);
        assertThat(clock.lastWrite(RelationSet.of(1))).isEqualTo(20);
        assertThat(clock.lastWrite(RelationSet.of(2))).isEqualTo(TableClock.IN_DOUBT);
        clock.settle(RelationSet.of(2), 0);
        assertThat(clock.lastWrite(RelationSet.of(2))).isEqualTo(20);
        assertThat(clock.lastWrite(RelationSet.ALL)).isEqualTo(20);
    }

    @Test
    void aWriteToAllIsOneToEach() {
        clock.doubt(RelationSet.ALL);
        assertThat(clock.lastWrite(RelationSet.of(7))).isEqualTo(TableClock.IN_DOUBT);
        clock.settle(RelationSet.ALL, 30);
        assertThat(clock.lastWrite(RelationSet.of(7))).isEqualTo(30);
    }

    @Test
    void itKeepsTheLastWriteOfManyRelations() {
        long seed = System.nanoTime();
        SplittableRandom random = new SplittableRandom(seed);
        Map<Integer, Long> model = new HashMap<>();
        for (int i = 0; i < 20_000; i++) {
            int id = random.nextInt(5_000) * 0x10001;
            long moment = 10L + random.nextInt(1_000_000);
            clock.doubt(RelationSet.of(id));
            clock.settle(RelationSet.of(id), moment);
            model.merge(id, moment, Math::max);
        }
        model.forEach((id, moment) -> assertThat(clock.lastWrite(RelationSet.of(id)))
                .as("seed " + seed)
                .isEqualTo(moment));
    }
}
