package dev.pgproxy.health;

import dev.pgproxy.health.breaker.Breaker;
import dev.pgproxy.health.probe.Answer;
import dev.pgproxy.routing.AdaptiveWeights;
import dev.pgproxy.routing.Host;
import dev.pgproxy.routing.HostRole;
import dev.pgproxy.routing.HostState;
import dev.pgproxy.routing.Topology;
import dev.pgproxy.routing.freshness.Timeline;
import dev.pgproxy.routing.freshness.Watermarks;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What the answers of all hosts together mean. Pure; confined to whoever holds its owner's lock.
 *
 * <p>Several hosts that take writes: the one with the latest timeline is the primary and the others, left behind by a
 * promotion, are UNKNOWN; so is one on an earlier timeline than was seen before, a replica of another cluster, and one whose
 * settings would make it answer otherwise. With equal
 * timelines, or of different clusters, nobody can say: all are PRIMARY, and the topology has no primary.
 */
final class ClusterView {
    private final List<Host> hosts;
    private final AdaptiveWeights weights;
    private final List<Breaker> breakers;
    private final long maxLag;
    private final Watermarks watermarks = new Watermarks(Watermarks.DEFAULT_CAPACITY);
    private final @Nullable Answer[] answers;
    private final @Nullable Replayed[] replayed;
    private int primary = -1;
    private @Nullable Timeline latest;

    /** What takes writes on this timeline or an earlier one is the primary no more; null = nothing was left so. */
    private @Nullable Timeline leaving;

    /**
     * Up to where a replica had replayed a timeline when it was last seen receiving it. What it replays while it receives
     * nothing comes from its disk or an archive and may be of another timeline.
     */
    private record Replayed(Timeline timeline, long lsn) {}

    /**
     * @param breakers by {@link Host#index()}: what became of logins, of which hosts themselves say nothing
     * @param maxLag a replica further behind starts slowly afterwards; zero = however far
     * @param latest the timeline of the last primary that was seen before; null if none was
     */
    ClusterView(
            List<Host> hosts,
            AdaptiveWeights weights,
            List<Breaker> breakers,
            Duration maxLag,
            @Nullable Timeline latest) {
        this.hosts = List.copyOf(hosts);
        this.weights = weights;
        this.breakers = List.copyOf(breakers);
        this.maxLag = maxLag.isZero() ? Long.MAX_VALUE : maxLag.toNanos();
        answers = new Answer[hosts.size()];
        replayed = new Replayed[hosts.size()];
        this.latest = latest;
    }

    void answered(int host, Answer answer) {
        answers[host] = answer;
        Timeline history = answer.history();
        if (answer.role() == HostRole.PRIMARY || history != null) {
            replayed[host] =
                    answer.role() == HostRole.REPLICA && history != null ? new Replayed(history, answer.lsn()) : null;
        }
        elect();
        if (host == primary && history != null) {
            watermarks.add(history, answer.asked(), answer.lsn());
        }
        if (isTooFarBehind(host, answer)) {
            weights.behind(host, answer.asked());
        }
    }

    /** By its own answer against what the primary had told by then: a late poll of either does not make it look behind. */
    private boolean isTooFarBehind(int host, Answer answer) {
        Replayed up = replayed[host];
        if (up == null || primary < 0) {
            return false;
        }
        long freshAsOf = watermarks.freshAsOf(up.timeline(), up.lsn());
        return freshAsOf != HostState.NEVER && Math.min(polledAt(primary), answer.asked()) - freshAsOf > maxLag;
    }

    /** The host may have restarted and be behind where it was: its position counts no more until it tells a new one. */
    void interrupted(int host) {
        replayed[host] = null;
    }

    void silent(int host) {
        answers[host] = null;
        replayed[host] = null;
        elect();
    }

    /** Another host is about to be promoted: none on this timeline is the primary any more. Null = that has failed. */
    void leave(@Nullable Timeline timeline) {
        leaving = timeline;
        elect();
    }

    /** The number of the timeline that a replica was last seen to receive; 0 if none was, or it may have restarted since. */
    int receivedTimeline(int host) {
        Replayed up = replayed[host];
        return up == null ? 0 : up.timeline().number();
    }

    /** The primary's {@code synchronous_standby_names}; empty without a primary. */
    String synchronousStandbys() {
        Answer answer = primary < 0 ? null : answers[primary];
        return answer == null ? "" : answer.synchronous();
    }

    /** When the answer that counts was asked for; {@link HostState#NEVER} if there is none. */
    long polledAt(int host) {
        Answer answer = answers[host];
        return answer == null ? HostState.NEVER : answer.asked();
    }

    /** What counts of what the host said; null if it is silent. */
    @Nullable
    Answer answer(int host) {
        return answers[host];
    }

    /** The primary's, or that of the last one there was. */
    @Nullable
    Timeline latestTimeline() {
        return latest;
    }

    /** {@link Host#index()} of the primary, or -1. */
    int primary() {
        return primary;
    }

    private void elect() {
        int elected = -1;
        for (int i = 0; i < answers.length; i++) {
            if (role(i) == HostRole.PRIMARY) {
                if (elected >= 0) {
                    elected = -1;
                    break;
                }
                elected = i;
            }
        }
        if (elected != primary) {
            watermarks.forget(); // moments of two hosts are not in one order
            primary = elected;
        }
        Answer answer = elected < 0 ? null : answers[elected];
        if (answer != null) {
            latest = answer.history();
        }
    }

    /**
     * The settings of a host that make its reads say something else than the primary's, for people; empty if there are none, or
     * one of the two has not answered.
     */
    String strangeSettings(int host) {
        Answer there = answers[host];
        Answer here = primary < 0 ? null : answers[primary];
        if (there == null || here == null || there.settings().equals(here.settings())) {
            return "";
        }
        Set<String> names = new TreeSet<>(there.settings().keySet());
        names.addAll(here.settings().keySet());
        return names.stream()
                .filter(name -> !Objects.equals(
                        there.settings().get(name), here.settings().get(name)))
                .map(name -> name + " is '" + there.settings().get(name) + "', on the primary '"
                        + here.settings().get(name) + "'")
                .collect(Collectors.joining("; "));
    }

    private HostRole role(int host) {
        Answer answer = answers[host];
        if (answer == null) {
            return HostRole.UNKNOWN;
        }
        if (answer.role() == HostRole.REPLICA) {
            boolean foreign = latest != null && latest.systemIdentifier() != answer.systemIdentifier();
            return foreign || !strangeSettings(host).isEmpty() ? HostRole.UNKNOWN : HostRole.REPLICA;
        }
        boolean leftBehind = latest != null
                && latest.systemIdentifier() == answer.systemIdentifier()
                && latest.number() > answer.timeline();
        leftBehind |= leaving != null
                && leaving.systemIdentifier() == answer.systemIdentifier()
                && leaving.number() >= answer.timeline();
        for (Answer other : answers) {
            leftBehind |= other != null
                    && other.role() == HostRole.PRIMARY
                    && other.systemIdentifier() == answer.systemIdentifier()
                    && other.timeline() > answer.timeline();
        }
        return leftBehind ? HostRole.UNKNOWN : HostRole.PRIMARY;
    }

    Topology topology(long now) {
        List<HostState> states = new ArrayList<>(hosts.size());
        for (int i = 0; i < answers.length; i++) {
            HostRole role = role(i);
            boolean broken = role == HostRole.REPLICA && !breakers.get(i).isClosed();
            weights.up(i, role != HostRole.UNKNOWN && !broken, now);
            Host host = hosts.get(i);
            Answer answer = answers[i];
            Replayed up = replayed[i];
            long freshAsOf = HostState.NEVER;
            long lag = -1;
            if (role == HostRole.REPLICA && up != null) {
                freshAsOf = watermarks.freshAsOf(up.timeline(), up.lsn());
                lag = watermarks.bytesBehind(up.timeline(), up.lsn());
            }
            if (role == HostRole.PRIMARY && answer != null) {
                freshAsOf = answer.asked();
                lag = 0;
            }
            long position = up != null ? up.lsn() : answer == null || role != HostRole.PRIMARY ? 0 : answer.lsn();
            double weight = weights.weight(i, host.weight());
            states.add(new HostState(host, role, freshAsOf, lag, weight, polledAt(i), position, broken));
        }
        return Topology.of(states, latest);
    }
}
