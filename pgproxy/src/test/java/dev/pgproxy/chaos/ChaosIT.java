package dev.pgproxy.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A short run of {@code benchmarks/chaos}: whatever fails, clients were told the truth. */
@Timeout(600)
final class ChaosIT {
    private static final Logger LOG = LoggerFactory.getLogger(ChaosIT.class);
    private static final int FAULTS = Integer.getInteger("chaos.faults", 6);

    @Test
    void whateverFailsClientsWereToldTheTruth() throws Exception {
        long seed = Long.getLong("chaos.seed", System.nanoTime());
        LOG.info("-Dchaos.seed={}", seed);
        List<Fault> faults = new ArrayList<>(List.of(Fault.values()));
        Collections.shuffle(faults, new Random(seed));
        faults.remove(Fault.KILL_THE_PRIMARY);
        try (Estate estate = Estate.start("")) {
            Chaos chaos = new Chaos(estate, 8, seed, LOG::info);
            for (Fault fault : faults.subList(0, Math.min(faults.size(), FAULTS - 1))) {
                chaos.strike(fault);
            }
            chaos.strike(Fault.KILL_THE_PRIMARY);
            chaos.judge();
            assertThat(chaos.ledger().violations()).isEmpty();
        }
    }
}
