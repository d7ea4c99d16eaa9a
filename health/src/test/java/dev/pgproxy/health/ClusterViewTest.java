package dev.pgproxy.health;

import static dev.pgproxy.routing.HostRole.PRIMARY;
import static dev.pgproxy.routing.HostRole.REPLICA;
import static dev.pgproxy.routing.HostRole.UNKNOWN;
import static dev.pgproxy.routing.HostState.NEVER;
import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.health.breaker.Breaker;
import dev.pgproxy.health.breaker.BreakerRules;
import dev.pgproxy.health.breaker.MonotonicClock;
import dev.pgproxy.health.probe.Answer;
import dev.pgproxy.routing.AdaptiveWeights;
import dev.pgproxy.routing.Host;
import dev.pgproxy.routing.HostRole;
import dev.pgproxy.routing.HostState;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

final class ClusterViewTest {
    private static final long SYSTEM = 42;

    private static final Map<String, String> SETTINGS = Map.of("bytea_output", "hex", "xmloption", "content");

    private final AdaptiveWeights weights = new AdaptiveWeights(true, 3, 0);
    private final List<Breaker> breakers =
            Stream.of("a", "b", "c").map(ClusterViewTest::breaker).toList();
    private final ClusterView view = new ClusterView(
            List.of(new Host(0, "a", 1), new Host(1, "b", 1), new Host(2, "c", 3)),
            weights,
            breakers,
            Duration.ofNanos(4),
            null);
    private long moment;

    private static Breaker breaker(String host) {
        BreakerRules rules = new BreakerRules(50, Duration.ofSeconds(60), 2, Duration.ofSeconds(30), 2);
        return new Breaker(host, rules, new MonotonicClock(), new SplittableRandom());
    }

    private void primary(int host, int timeline, long lsn) {
        view.answered(host, new Answer(++moment, PRIMARY, SYSTEM, timeline, lsn, SETTINGS, ""));
    }

    private void replica(int host, int timeline, long lsn) {
        view.answered(host, new Answer(++moment, REPLICA, SYSTEM, timeline, lsn, SETTINGS, ""));
    }

    private HostState state(int host) {
        return view.topology(moment).hosts().get(host);
    }

    private List<HostRole> roles() {
        return view.topology(moment).hosts().stream().map(HostState::role).toList();
    }

    @Test
    void nothingIsKnownAtFirst() {
        assertThat(roles()).containsOnly(UNKNOWN);
        assertThat(view.topology(0).primary()).isNull();
        assertThat(view.polledAt(0)).isEqualTo(NEVER);
        assertThat(view.latestTimeline()).isNull();
    }

    @Test
    void freshnessComesFromThePrimarysPositions() {
        primary(0, 1, 100);
        replica(1, 1, 100);
        primary(0, 1, 200);
        replica(2, 1, 90);

        assertThat(roles()).containsExactly(PRIMARY, REPLICA, REPLICA);
        assertThat(state(1).freshAsOf()).isEqualTo(1);
        assertThat(state(1).lagBytes()).isEqualTo(100);
        assertThat(state(2).freshAsOf()).isEqualTo(NEVER);
        assertThat(state(2).lagBytes()).isEqualTo(110);
        assertThat(state(2).weight()).isEqualTo(3);
        assertThat(state(0).freshAsOf()).isEqualTo(3);
        assertThat(view.polledAt(2)).isEqualTo(4);
    }

    @Test
    void aReplicaWithOtherSettingsGetsNoReads() {
        Map<String, String> others = Map.of("bytea_output", "escape", "xmloption", "content");
        view.answered(1, new Answer(++moment, REPLICA, SYSTEM, 1, 100, others, ""));
        assertThat(roles()).containsExactly(UNKNOWN, REPLICA, UNKNOWN);
        primary(0, 1, 100);
        assertThat(roles()).containsExactly(PRIMARY, UNKNOWN, UNKNOWN);
        assertThat(view.strangeSettings(1)).isEqualTo("bytea_output is 'escape', on the primary 'hex'");
        replica(1, 1, 100);
        assertThat(roles()).containsExactly(PRIMARY, REPLICA, UNKNOWN);
        assertThat(view.strangeSettings(1)).isEmpty();
    }

    @Test
    void aReplicaThatReceivesNothingIsHeldToWhatItHadReplayedBefore() {
        primary(0, 1, 100);
        replica(1, 1, 100);
        primary(0, 1, 200);
        replica(1, 0, 300);
        assertThat(state(1).freshAsOf()).isEqualTo(1);
        replica(2, 0, 300);
        assertThat(state(2).freshAsOf()).isEqualTo(NEVER);

        replica(1, 1, 300);
        assertThat(state(1).freshAsOf()).isEqualTo(3);
    }

    @Test
    void anInterruptedReplicaIsNotFreshUntilItTellsItsPositionAgain() {
        primary(0, 1, 100);
        replica(1, 1, 100);
        view.interrupted(1);

        assertThat(state(1).role()).isEqualTo(REPLICA);
        assertThat(state(1).freshAsOf()).isEqualTo(NEVER);
        replica(1, 1, 100);
        assertThat(state(1).freshAsOf()).isEqualTo(1);
    }

    @Test
    void aPromotionForgetsPositionsAndFencesTheOldPrimary() {
        primary(0, 1, 100);
        replica(2, 1, 100);
        primary(1, 2, 110);
        assertThat(roles()).containsExactly(UNKNOWN, PRIMARY, REPLICA);
        assertThat(state(2).freshAsOf()).isEqualTo(NEVER);

        view.silent(1);
        primary(0, 1, 120);
        assertThat(roles()).containsExactly(UNKNOWN, UNKNOWN, REPLICA);

        primary(1, 2, 130);
        replica(2, 2, 130);
        replica(0, 2, 110);
        assertThat(roles()).containsExactly(REPLICA, PRIMARY, REPLICA);
        assertThat(state(2).freshAsOf()).isEqualTo(5);
        assertThat(state(0).freshAsOf()).isEqualTo(NEVER);
    }

    @Test
    void ofTwoPrimariesWithEqualTimelinesNoneIsChosen() {
        primary(0, 1, 100);
        replica(2, 1, 100);
        primary(1, 1, 90);

        assertThat(roles()).containsExactly(PRIMARY, PRIMARY, REPLICA);
        assertThat(view.topology(moment).primary()).isNull();
        assertThat(view.primary()).isEqualTo(-1);
        assertThat(state(2).freshAsOf()).isEqualTo(NEVER);

        view.silent(0);
        primary(1, 1, 95);
        assertThat(view.primary()).isEqualTo(1);
        assertThat(state(2).freshAsOf()).isEqualTo(4);
    }

    @Test
    void aReplicaWhoseLoginsFailIsBrokenAndComesBackWithLittleWeight() {
        primary(0, 1, 10);
        replica(1, 1, 10);
        primary(0, 1, 10);
        assertThat(state(1).broken()).isFalse();
        for (int i = 0; i < 2; i++) {
            breakers.get(0).begin().failed("full");
            breakers.get(1).begin().failed("full");
        }
        assertThat(state(1).broken()).isTrue();
        assertThat(state(1).role()).isEqualTo(REPLICA);
        assertThat(state(1).weight()).isZero();
        assertThat(state(0).broken())
                .as("the primary, for which there is no other")
                .isFalse();
        for (int i = 0; i < 2; i++) {
            breakers.get(1).begin().succeeded();
        }
        assertThat(state(1).broken()).isFalse();
        assertThat(state(1).weight()).isBetween(0.05, 0.2);
    }

    @Test
    void aReplicaOfAnotherClusterIsUnknown() {
        primary(0, 1, 100);
        view.answered(1, new Answer(++moment, REPLICA, 7, 1, 500, SETTINGS, ""));

        assertThat(roles()).containsExactly(PRIMARY, UNKNOWN, UNKNOWN);
        assertThat(state(1).freshAsOf()).isEqualTo(NEVER);
    }

    @Test
    void aClusterMadeAnewIsAnotherCluster() {
        primary(0, 3, 100);
        view.answered(0, new Answer(++moment, PRIMARY, 7, 1, 50, SETTINGS, ""));
        view.answered(1, new Answer(++moment, REPLICA, 7, 1, 50, SETTINGS, ""));

        assertThat(roles()).containsExactly(PRIMARY, REPLICA, UNKNOWN);
        assertThat(state(1).freshAsOf()).isEqualTo(2);
    }

    @Test
    void aSilentHostComesBackWithLittleWeight() {
        primary(0, 1, 100);
        replica(2, 1, 100);
        view.topology(moment);
        view.silent(2);
        assertThat(state(2).role()).isEqualTo(UNKNOWN);
        assertThat(state(2).weight()).isZero();
        replica(2, 1, 100);
        assertThat(state(2).weight()).isBetween(0.29, 0.31);
    }

    @Test
    void aReplicaThatWasTooFarBehindComesBackWithLittleWeight() {
        primary(0, 1, 100);
        replica(2, 1, 100);
        for (long lsn = 200; lsn <= 400; lsn += 100) {
            assertThat(weight()).isEqualTo(3); // 4 ns behind at most
            primary(0, 1, lsn);
            replica(2, 1, 100);
        }
        assertThat(weight()).isBetween(0.29, 0.31);
        replica(2, 1, 400);
        assertThat(weight()).isBetween(0.29, 0.31);
        moment += Duration.ofSeconds(30).toNanos();
        assertThat(weight()).isEqualTo(3);
    }

    /** Nobody knows how old a position is that was there before us. */
    @Test
    void aReplicaWhoseLagIsNotKnownKeepsItsWeight() {
        primary(0, 1, 100);
        replica(2, 1, 90);
        moment += 10;
        primary(0, 1, 200);
        replica(2, 1, 90);
        assertThat(weight()).isEqualTo(3);
    }

    private double weight() {
        view.topology(moment);
        weights.update(moment);
        return state(2).weight();
    }
}
