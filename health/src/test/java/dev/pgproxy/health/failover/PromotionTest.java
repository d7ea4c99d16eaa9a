package dev.pgproxy.health.failover;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.health.probe.ControlTarget;
import dev.pgproxy.routing.Host;
import dev.pgproxy.routing.freshness.Timeline;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PromotionTest {
    private static final Rules STRICT = new Rules(true, Duration.ofSeconds(1), false, Duration.ofSeconds(1));
    private static final Rules LOOSE = new Rules(true, Duration.ofSeconds(1), true, Duration.ofSeconds(1));
    private static final SynchronousStandbys NOBODY = SynchronousStandbys.parse("");

    private static Standby standby(int index, long received) {
        return standby(index, received, 3, 0, 0);
    }

    private static Standby standby(int index, long received, int timeline, int receiving, double heard) {
        Host host = new Host(index, "r" + index, 1);
        ControlTarget target = new ControlTarget(host, "r" + index, 5432, "d", "u", () -> "", Map.of(), null);
        return new Standby(target, true, received, timeline, receiving, 0, heard, "", "", "r" + index, true);
    }

    private static String reason(Promotion promotion) {
        return promotion instanceof Promotion.Refused refused ? refused.reason() : "none";
    }

    private static int chosen(Promotion promotion) {
        return promotion instanceof Promotion.Of of
                ? of.chosen().target().host().index()
                : -1;
    }

    private static Promotion decide(SynchronousStandbys waited, Rules rules, Standby... seen) {
        return Promotion.decide(List.of(seen), 3, waited, 3, rules, 10);
    }

    @Test
    void theOneThatHasMostIsChosen() {
        assertThat(chosen(decide(NOBODY, STRICT, standby(1, 5), standby(2, 7), standby(3, 6))))
                .isEqualTo(2);
        assertThat(chosen(decide(NOBODY, STRICT, standby(1, 5), standby(2, -7))))
                .as("unsigned")
                .isEqualTo(2);
    }

    @Test
    void oneThatWasNotSeenOnTheLastTimelineIsNot() {
        assertThat(chosen(decide(NOBODY, STRICT, standby(1, 5), standby(2, 7, 2, 0, 0))))
                .isEqualTo(1);
        assertThat(reason(decide(NOBODY, STRICT, standby(2, 7, 2, 0, 0)))).contains("no replica answers");
        assertThat(reason(decide(NOBODY, STRICT))).contains("no replica answers");
    }

    @Test
    void aPrimaryThatAReplicaStillHearsIsAlive() {
        assertThat(reason(decide(NOBODY, LOOSE, standby(1, 5), standby(2, 5, 3, 3, 0.2))))
                .isEqualTo("r2 still hears of the primary: only pgproxy cannot reach it");
        // it hangs: nothing has come since it was lost
        assertThat(chosen(decide(NOBODY, STRICT, standby(1, 5), standby(2, 6, 3, 3, 11))))
                .isEqualTo(2);
    }

    /** Of three that commits wait for, so many must be seen. */
    @ParameterizedTest
    @CsvSource({"1, 3", "2, 2", "3, 1"})
    void soManyMustBeSeenThatOneHasEachCommit(int wanted, int needed) {
        SynchronousStandbys waited = SynchronousStandbys.parse("ANY " + wanted + " (R1, r2, \"r3\")");
        Standby[] all = {standby(1, 5), standby(2, 6), standby(3, 4)};
        Standby[] enough = Arrays.copyOf(all, needed);
        Standby[] tooFew = Arrays.copyOf(all, needed - 1);
        assertThat(chosen(decide(waited, STRICT, enough))).isPositive();
        assertThat(chosen(decide(waited, STRICT, tooFew))).isEqualTo(-1);
        if (needed > 1) {
            assertThat(reason(decide(waited, STRICT, tooFew))).contains((needed - 1) + " of the " + needed);
            assertThat(chosen(decide(waited, LOOSE, tooFew))).isPositive();
        }
    }

    @Test
    void thoseNobodyWaitsForDoNotCount() {
        SynchronousStandbys waited = SynchronousStandbys.parse("r1");
        assertThat(reason(decide(waited, STRICT, standby(2, 6), standby(3, 6)))).contains("0 of the 1");
        assertThat(chosen(decide(waited, STRICT, standby(1, 6), standby(3, 7))))
                .as("it has what r1 has, and more")
                .isEqualTo(3);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "''|0|0",
                "s1|1|1",
                "s1, s2, \"s 3\"|1|3",
                "2 (s1, s2, s3)|2|2",
                "FIRST 2 (s1, s2, s3)|2|2",
                "ANY 3(a,b,c)|3|1",
                "*|1|3",
                "any 2 (*)|2|2",
                "first|1|1"
            })
    void namesAreReadAsPostgresReadsThem(String text, int wanted, int needed) {
        SynchronousStandbys read = SynchronousStandbys.parse(text);
        assertThat(read.wanted()).isEqualTo(wanted);
        assertThat(read.needed(3)).isEqualTo(needed);
    }

    @Test
    void onlyWhereCommitsWaitedForEnoughOfThoseThatAnswerNothingIsMissing() {
        SynchronousStandbys waited = SynchronousStandbys.parse("ANY 1 (r1, r2)");
        assertThat(hasAll(decide(waited, STRICT, standby(1, 5), standby(2, 7)))).isTrue();
        assertThat(hasAll(decide(waited, LOOSE, standby(1, 5)))).isFalse();
        assertThat(hasAll(decide(NOBODY, STRICT, standby(1, 5), standby(2, 7)))).isFalse();
    }

    private static boolean hasAll(Promotion promotion) {
        return promotion instanceof Promotion.Of of && of.hasAll();
    }

    @Test
    void whatMayBeLostIsSaidAsFarAsItIsKnown() {
        LastPrimary last = new LastPrimary("p", new Timeline(1, 3), 0x2000, "", 1_000_000_000L);
        assertThat(last.missing("r", 0x1ff0, 3_500_000_000L))
                .isEqualTo(
                        "acknowledged commits may be lost: r lacks the last 16 bytes of WAL that p was seen to have, up to"
                                + " 0/2000, and what p wrote in the 2.5 s after that");
        assertThat(last.missing("r", 0x2000, 3_500_000_000L))
                .isEqualTo("acknowledged commits may be lost: r has all WAL that p was seen to have, up to 0/2000, but"
                        + " perhaps not what p wrote in the 2.5 s after that");
    }
}
