package dev.pgproxy.routing.sql;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

class ShapeReaderPropertyTest {
    @Test
    void everyRelationOfARandomQueryIsMentionedAndAllAndOnlyTheyAreRelations() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        int understood = 0;
        int count = 1000;
        for (int i = 0; i < count; i++) {
            RandomQuery query = new RandomQuery(random);
            String sql = query.text();
            StatementShape shape = TestShapes.of(sql);
            assertThat(shape.mentions()).as("seed %s: %s", seed, sql).containsAll(query.relations);
            if (shape.understood()) {
                understood++;
                assertThat(shape.relations()).as("seed %s: %s", seed, sql).isEqualTo(query.relations);
                assertThat(shape.written()).as("seed %s: %s", seed, sql).isEmpty();
            }
        }
        assertThat(understood).as("seed %s: understood of %s", seed, count).isGreaterThan(count * 8 / 10);
    }
}
