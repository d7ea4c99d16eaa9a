package dev.pgproxy.routing;

import static dev.pgproxy.routing.HostState.NEVER;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class HostChooserTest {
    private static final long NOW = 1_000_000;
    private static final int CHOICES = 10_000;

    private final long seed = System.nanoTime();
    private final SplittableRandom random = new SplittableRandom(seed);
    private final int[] running = new int[8];

    private static HostState primary() {
        return new HostState(new Host(0, "primary", 1), HostRole.PRIMARY, NOW, 0, 1, NOW, 0, false);
    }

    private static HostState replica(int index, double weight, long freshAsOf) {
        return replica(index, weight, freshAsOf, false);
    }

    private static HostState replica(int index, double weight, long freshAsOf, boolean broken) {
        Host host = new Host(index, "r" + index, (int) Math.ceil(weight));
        return new HostState(host, HostRole.REPLICA, freshAsOf, 0, weight, NOW, 0, broken);
    }

    private static Topology topology(HostState... hosts) {
        return Topology.of(List.of(hosts), null);
    }

    private HostChooser chooser(Balance algorithm, PrimaryReads primaryReads, double primaryWeight, long maxLag) {
        return new HostChooser(
                new ReadBalance(algorithm, primaryReads, primaryWeight, maxLag), host -> running[host], random);
    }

    @Test
    void aBrokenReplicaIsNotChosenEvenIfNoOtherIs() {
        Topology topology = topology(primary(), replica(1, 1, NOW, true));
        for (PrimaryReads reads : PrimaryReads.values()) {
            HostState chosen =
                    chooser(Balance.ROUND_ROBIN, reads, 1, Long.MAX_VALUE).choose(topology, HostState.NEVER, NOW);
            assertThat(chosen).as(reads.toString()).isEqualTo(topology.primary());
        }
    }

    private HostChooser fallback(Balance algorithm, long maxLag) {
        return chooser(algorithm, PrimaryReads.FALLBACK, 0, maxLag);
    }

    private static int[] counts(HostChooser chooser, Topology topology, int choices) {
        int[] counts = new int[topology.hosts().size()];
        for (int i = 0; i < choices; i++) {
            counts[index(chooser.choose(topology, NEVER, NOW))]++;
        }
        return counts;
    }

    @ParameterizedTest
    @EnumSource
    void sharesAreTheWeights(Balance algorithm) {
        HostChooser chooser = chooser(algorithm, PrimaryReads.ALWAYS, 2, Long.MAX_VALUE);
        int[] counts = counts(
                chooser, topology(primary(), replica(1, 1, NOW), replica(2, 5, NOW), replica(3, 2, NOW)), CHOICES);

        for (int i = 0; i < 4; i++) {
            double share = new double[] {0.2, 0.1, 0.5, 0.2}[i];
            assertThat(counts[i] / (double) CHOICES).as("seed %d", seed).isCloseTo(share, within(0.02));
        }
    }

    @Test
    void roundRobinIsExactAndSmooth() {
        HostChooser chooser = fallback(Balance.ROUND_ROBIN, Long.MAX_VALUE);
        Topology topology = topology(primary(), replica(1, 5, NOW), replica(2, 1, NOW), replica(3, 1, NOW));
        counts(chooser, topology, 7 * 3); // until what it began with is gone

        assertThat(counts(chooser, topology, 700)).as("seed %d", seed).containsExactly(0, 500, 100, 100);
        for (int i = 0; i < 100; i++) {
            assertThat(counts(chooser, topology, 7)[1]).as("seed %d", seed).isBetween(4, 6);
        }
    }

    @Test
    void roundRobinIsFairToCandidatesThatChangeFromChoiceToChoice() {
        HostChooser chooser = fallback(Balance.ROUND_ROBIN, Long.MAX_VALUE);
        double[] due = new double[6];
        int[] got = new int[6];
        for (int i = 0; i < CHOICES; i++) {
            List<HostState> hosts = new ArrayList<>(List.of(primary()));
            double total = 0;
            for (int index = 1; index < 6; index++) {
                double weight = random.nextInt(4) == 0 ? index * 100 : index;
                long freshAsOf = random.nextInt(2) * NOW;
                hosts.add(replica(index, weight, freshAsOf));
                total += freshAsOf == NOW ? weight : 0;
            }
            int chosen = index(chooser.choose(Topology.of(hosts, null), NOW, NOW));
            if (total == 0) {
                assertThat(chosen).isZero();
                continue;
            }
            got[chosen]++;
            for (HostState host : hosts) {
                if (host.role() == HostRole.REPLICA && host.freshAsOf() == NOW) {
                    due[host.host().index()] += host.weight() / total;
                }
            }
            for (int index = 1; index < 6; index++) {
                assertThat((double) got[index]).as("seed %d", seed).isCloseTo(due[index], within(6.0));
            }
        }
    }

    @Test
    void aHostThatWasAwayGetsNoBurstWhenItIsBack() {
        HostChooser chooser = fallback(Balance.ROUND_ROBIN, Long.MAX_VALUE);
        Topology all = topology(primary(), replica(1, 1, NOW), replica(2, 1, NOW));
        counts(chooser, all, 101);
        counts(chooser, topology(primary(), replica(1, 1, NOW)), 1_000);

        assertThat(counts(chooser, all, 10)[2]).isBetween(4, 6);
    }

    @Test
    void leastActivePrefersTheHostWithTheFewestForItsWeight() {
        HostChooser chooser = fallback(Balance.LEAST_ACTIVE, Long.MAX_VALUE);
        Topology topology = topology(primary(), replica(1, 2, NOW), replica(2, 1, NOW), replica(3, 1, NOW));
        running[1] = 3;
        running[2] = 2;
        running[3] = 1;
        assertThat(counts(chooser, topology, 10)).containsExactly(0, 0, 0, 10);
        running[3] = 3;
        assertThat(counts(chooser, topology, 10)).containsExactly(0, 10, 0, 0);
        running[1] = 4;
        assertThat(counts(chooser, topology, 300)).containsExactly(0, 200, 100, 0);
    }

    @ParameterizedTest
    @EnumSource
    void onlyReplicasThatAreFreshEnoughAndWithinTheLagAnswer(Balance algorithm) {
        HostChooser chooser = fallback(algorithm, 100);
        Topology topology = topology(
                primary(),
                replica(1, 1, NOW - 50),
                replica(2, 1, NOW - 100),
                replica(3, 1, NOW - 101),
                replica(4, 0, NOW),
                replica(5, 1, NEVER));

        for (int i = 0; i < 100; i++) {
            assertThat(index(chooser.choose(topology, NEVER, NOW))).isBetween(1, 2);
            assertThat(index(chooser.choose(topology, NOW - 50, NOW))).isEqualTo(1);
            assertThat(index(chooser.choose(topology, NOW - 49, NOW))).isEqualTo(0);
        }
        assertThat(chooser.mayAnswer(topology.replicas().get(1), NOW - 100, 0, NOW))
                .isTrue();
        assertThat(chooser.mayAnswer(topology.replicas().get(2), NEVER, 0, NOW)).isFalse();
    }

    @Test
    void withoutALimitOfLagAReplicaOfUnknownFreshnessAnswersWhatNeedsNone() {
        HostChooser chooser = fallback(Balance.ROUND_ROBIN, Long.MAX_VALUE);
        Topology topology = topology(primary(), replica(1, 1, NEVER));

        assertThat(index(chooser.choose(topology, NEVER, NOW))).isEqualTo(1);
        assertThat(index(chooser.choose(topology, 0, NOW))).isEqualTo(0);
    }

    @Test
    void withoutPrimaryNobodyAnswersForReplicas() {
        HostChooser chooser = fallback(Balance.ROUND_ROBIN, 100);

        assertThat(chooser.choose(topology(replica(0, 1, NOW - 200)), NEVER, NOW))
                .isNull();
        assertThat(index(chooser.choose(topology(replica(0, 1, NOW)), NEVER, NOW)))
                .isEqualTo(0);
    }

    @Test
    void neverSparesThePrimaryButNotConsistency() {
        HostChooser chooser = chooser(Balance.ROUND_ROBIN, PrimaryReads.NEVER, 1, 100);
        Topology late = topology(primary(), replica(1, 1, NOW - 500), replica(2, 1, NOW - 900));

        assertThat(counts(chooser, late, 100)).containsExactly(0, 50, 50);
        assertThat(index(chooser.choose(late, NOW - 600, NOW))).isEqualTo(1);
        assertThat(index(chooser.choose(late, NOW, NOW))).isEqualTo(0);
        assertThat(chooser.choose(topology(primary()), NEVER, NOW)).isNull();
    }

    @Test
    void anUnfairBeginningLastsAFewReadsOnly() {
        for (int i = 0; i < 100; i++) {
            HostChooser fresh = fallback(Balance.ROUND_ROBIN, Long.MAX_VALUE);
            int[] counts = counts(fresh, topology(primary(), replica(1, 1, NOW), replica(2, 1, NOW)), 10);
            assertThat(counts[1]).as("seed %d", seed).isBetween(4, 6);
        }
    }

    private static int index(@Nullable HostState chosen) {
        return Objects.requireNonNull(chosen).host().index();
    }
}
