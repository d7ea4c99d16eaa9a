package dev.pgproxy.health.probe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

final class ProcFilesTest {
    private static final String MEMINFO = """
            MemTotal:       16316412 kB
            MemFree:          812304 kB
            MemAvailable:    4079103 kB
            Buffers:          312340 kB
            """;

    private final ProcFiles files = new ProcFiles();

    @Test
    void theShareInUseIsWhatWasNotIdleBetweenTwoCallsAndGuestsCountOnce() {
        assertThat(files.load("cpu  10 0 10 100 20 0 0 0 5 0\ncpu0 1 2 3 4 5 6 7 8 9 10\n", MEMINFO)
                        .cpu())
                .isNull();
        // 30 of 40 ticks, of which a guest had all
        MachineLoad load = files.load("cpu  40 0 10 105 25 0 0 0 35 0\ncpu0 1 2 3 4 5 6 7 8 9 10\n", MEMINFO);
        assertThat(load.cpu()).isCloseTo(0.75, within(1e-9));
        assertThat(load.memory()).isCloseTo(0.75, within(1e-6));
        assertThat(load.disk()).isNull();
    }

    @Test
    void whatIsNotThereIsNotKnown() {
        assertThat(files.load(null, null)).isEqualTo(MachineLoad.UNKNOWN);
        assertThat(files.load("intr 1 2 3\n", "MemTotal:       16316412 kB\n")).isEqualTo(MachineLoad.UNKNOWN);
        assertThat(files.load("cpu  1 1 1 1\n", MEMINFO.replace("16316412", "0")))
                .isEqualTo(MachineLoad.UNKNOWN);
    }
}
