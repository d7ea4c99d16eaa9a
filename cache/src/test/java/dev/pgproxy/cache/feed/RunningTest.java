package dev.pgproxy.cache.feed;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class RunningTest {
    @Test
    void aTransactionHasEndedUnlessTheSnapshotHasItOrItCameLater() {
        Running running = Running.parse("740:745:740,743");
        assertThat(running.hasEnded(739)).isTrue();
        assertThat(running.hasEnded(740)).isFalse();
        assertThat(running.hasEnded(741)).isTrue();
        assertThat(running.hasEnded(743)).isFalse();
        assertThat(running.hasEnded(744)).isTrue();
        assertThat(running.hasEnded(745)).isFalse();
        assertThat(running.hasEnded(800)).isFalse();
    }

    @Test
    void aSnapshotWithoutRunningTransactionsIsRead() {
        Running running = Running.parse("750:750:");
        assertThat(running.xids()).isEmpty();
        assertThat(running.hasEnded(749)).isTrue();
        assertThat(running.hasEnded(750)).isFalse();
    }

    @Test
    void the32BitsOfTheStreamAreComparedAcrossAWrapAround() {
        long epoch = 5L << 32;
        Running running = Running.parse((epoch - 3) + ":" + (epoch + 4) + ":" + (epoch - 3) + "," + (epoch + 2));
        assertThat(running.hasEnded((int) (epoch - 4))).isTrue();
        assertThat(running.hasEnded((int) (epoch - 3))).isFalse();
        assertThat(running.hasEnded((int) (epoch - 1))).isTrue();
        assertThat(running.hasEnded(0)).isTrue();
        assertThat(running.hasEnded(2)).isFalse();
        assertThat(running.hasEnded(3)).isTrue();
        assertThat(running.hasEnded(4)).isFalse();
    }
}
