package dev.pgproxy.chaos;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

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
        List<Fault> faults = new ArrayList<>(Fault.of(Layout.USUAL));
        Collections.shuffle(faults, new Random(seed));
        faults.remove(Fault.KILL_THE_PRIMARY);
        try (Estate estate = Estate.start(Layout.USUAL)) {
            Chaos chaos = new Chaos(estate, 8, seed, LOG::info);
            for (Fault fault : faults.subList(0, Math.min(faults.size(), FAULTS - 1))) {
                chaos.strike(fault);
            }
            chaos.strike(Fault.KILL_THE_PRIMARY);
            chaos.judge();
            assertThat(chaos.ledger().violations()).isEmpty();
        }
    }

    /** Two instances over one Redis: the tier is used, and its loss is nothing that a client would notice. */
    @Test
    void withoutRedisNoQueryFailsAndNoReadIsStale() throws Exception {
        long seed = Long.getLong("chaos.seed", System.nanoTime());
        LOG.info("-Dchaos.seed={}", seed);
        try (Estate estate = Estate.start(Layout.USUAL.withCache().withRedis(2))) {
            Chaos chaos = new Chaos(estate, 8, seed, LOG::info);
            for (Fault fault : List.of(Fault.FREEZE_REDIS, Fault.CUT_REDIS, Fault.KILL_REDIS)) {
                chaos.strike(fault);
            }
            await().untilAsserted(() -> assertThat(estate.redisHits()).isPositive());
            chaos.judge();
            assertThat(chaos.ledger().violations()).isEmpty();
        }
    }

    /** No commit waits for a replica: those that none had are lost with the primary, no others, and pgproxy says so. */
    @Test
    void whatPostgresLosesIsSaidAndNothingElseIsLost() throws Exception {
        long seed = Long.getLong("chaos.seed", System.nanoTime());
        LOG.info("-Dchaos.seed={}", seed);
        try (Estate estate = Estate.start(Layout.USUAL.asynchronous())) {
            Chaos chaos = new Chaos(estate, 8, seed, LOG::info);
            chaos.strike(Fault.LOSE_THE_PRIMARY);
            chaos.judge();
            assertThat(chaos.ledger().violations()).isEmpty();
            assertThat(chaos.ledger().acknowledgedLost()).isPositive();
            assertThat(estate.console(0, "SHOW FAILOVER").getFirst().get(4))
                    .matches("acknowledged commits may be lost: .* lacks the last [1-9][0-9]* bytes of WAL .*");
        }
    }
}
