package dev.pgproxy.routing.freshness;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

final class WalLayoutTest {
    private static final long SEGMENT = 16L << 20;
    private static final WalLayout LAYOUT = new WalLayout(8192, SEGMENT);

    @Test
    void aPositionJustBehindAPageHeaderIsReducedToTheBoundary() {
        assertThat(LAYOUT.endBefore(3 * SEGMENT + 8192 + 24)).isEqualTo(3 * SEGMENT + 8192);
        assertThat(LAYOUT.endBefore(3 * SEGMENT + 40)).isEqualTo(3 * SEGMENT);
        assertThat(LAYOUT.endBefore(-SEGMENT + 40)).isEqualTo(-SEGMENT);
    }

    @Test
    void anyOtherPositionStays() {
        for (long offset : new long[] {0, 24, 32, 48, 8192, 8192 + 40, 8192 + 32, 2 * 8192 - 8, SEGMENT - 8}) {
            assertThat(LAYOUT.endBefore(3 * SEGMENT + offset)).isEqualTo(3 * SEGMENT + offset);
        }
    }

    /** The two ways in which xlog.c turns a number of usable bytes into a position, for any sizes. */
    @Test
    void theEndOfTheLastRecordFollowsFromTheStartOfTheNext() {
        long seed = System.nanoTime();
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < 100_000; i++) {
            int block = 1024 << random.nextInt(7);
            long segment = (1L << 20) << random.nextInt(11);
            WalLayout layout = new WalLayout(block, segment);
            long firstPage = block - 40L;
            long otherPage = block - 24L;
            long usable = firstPage + (segment / block - 1) * otherPage;
            long inSegment = random.nextInt(3) == 0
                    ? 0
                    : random.nextBoolean()
                            ? firstPage + random.nextLong(segment / block - 1) * otherPage
                            : random.nextLong(usable / 8) * 8;
            long base = random.nextLong(1, 1000) * segment;
            long start = base + (inSegment < firstPage ? 40 + inSegment : later(inSegment - firstPage, block, true));
            long end = base
                    + (inSegment == 0
                            ? 0
                            : inSegment <= firstPage ? 40 + inSegment : later(inSegment - firstPage, block, false));
            if (inSegment == firstPage) {
                end = base + block;
            }
            assertThat(layout.endBefore(start)).as("seed %d", seed).isEqualTo(end);
        }
    }

    private static long later(long bytes, int block, boolean header) {
        long pages = bytes / (block - 24);
        long rest = bytes % (block - 24);
        return block + pages * block + (rest > 0 || header ? rest + 24 : 0);
    }

    @Test
    void sizesThatNoServerHasAreRefused() {
        assertThatThrownBy(() -> new WalLayout(8000, SEGMENT)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new WalLayout(8192, 4096)).isInstanceOf(IllegalArgumentException.class);
    }
}
