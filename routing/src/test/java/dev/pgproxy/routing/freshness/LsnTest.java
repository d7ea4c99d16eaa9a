package dev.pgproxy.routing.freshness;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

final class LsnTest {
    @Test
    void aPositionIsReadAndWrittenAsPostgresDoes() {
        assertThat(Lsn.parse("16/B374D848")).isEqualTo(0x16_B374_D848L);
        assertThat(Lsn.parse("0/0")).isZero();
        assertThat(Lsn.parse("FFFFFFFF/FFFFFFFF")).isEqualTo(-1L);
        assertThat(Lsn.toString(0x16_B374_D848L)).isEqualTo("16/B374D848");
        assertThat(Lsn.toString(-1)).isEqualTo("FFFFFFFF/FFFFFFFF");
    }

    @Test
    void everyPositionComesBackFromItsText() {
        long seed = System.nanoTime();
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < 10_000; i++) {
            long lsn = random.nextLong() >>> random.nextInt(64);
            assertThat(Lsn.parse(Lsn.toString(lsn))).as("seed %d", seed).isEqualTo(lsn);
        }
    }

    @Test
    void otherTextIsRefused() {
        for (String text : new String[] {"", "/", "12", "1/", "/1", "1/123456789", "1/-1", "g/0", "1/0/0"}) {
            assertThatThrownBy(() -> Lsn.parse(text)).as(text).isInstanceOf(NumberFormatException.class);
        }
    }
}
