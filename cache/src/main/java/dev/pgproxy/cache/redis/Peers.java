package dev.pgproxy.cache.redis;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Who else is there, and until when hits may be served. This instance gives a numbered sign of life; it comes back to it
 * through Redis, and each other instance says which one it has heard last. Both are answers to a question asked at a known
 * moment, so however late they come they prove no more than that then, at the earliest, Redis was in reach of this
 * instance, and of the other. Confined to the link's thread.
 */
final class Peers {
    private static final int KEPT = 64;

    /** Another instance. */
    private static final class Peer {
        private final long incarnation;
        private long number;
        private long heardAt;
        private long heardOwn;
        private long confirmed = -1;

        /** A moment at or after which it certainly was in contact; meaningless until {@link #answered}. */
        private long aliveAt;

        private boolean answered;

        Peer(long incarnation, long number, long heardAt) {
            this.incarnation = incarnation;
            this.number = number;
            this.heardAt = heardAt;
        }
    }

    /** One that has vanished. */
    record Vanished(String id, long incarnation, long since) {}

    /** One of which nothing was heard. */
    record Silent(String id, long incarnation, long number) {}

    private final String self;
    private final long lease;
    private final Map<String, Peer> peers = new HashMap<>();
    private final Map<String, Vanished> lost = new HashMap<>();

    /** Incarnations that have ended while this instance was there. */
    private final Map<String, Long> ended = new HashMap<>();

    private final long[] sentAt = new long[KEPT];
    private long number;
    private long ownAliveAt;
    private boolean ownHeard;

    Peers(String self, long lease) {
        this.self = self;
        this.lease = lease;
    }

    /** Contact is lost: nothing that was heard counts any more. Who was there is remembered. */
    void forgetSigns() {
        ownHeard = false;
        peers.values().forEach(peer -> peer.answered = false);
        ended.clear();
    }

    /** Only those that are added from now are there. */
    void clear() {
        peers.clear();
        lost.clear();
    }

    void add(String id, long incarnation, long beat, long now) {
        if (id.equals(self)) {
            return;
        }
        Peer before = peers.put(id, new Peer(incarnation, beat, now));
        if (before != null && before.incarnation != incarnation) {
            ended.merge(id, before.incarnation, Math::max);
        }
        lost.remove(id);
    }

    void left(String id, long incarnation) {
        Peer peer = peers.get(id);
        if (peer != null && peer.incarnation <= incarnation) {
            peers.remove(id);
        }
        ended.merge(id, incarnation, Math::max);
    }

    void lost(String id, long incarnation, long now) {
        left(id, incarnation);
        if (!peers.containsKey(id) && !id.equals(self)) {
            lost.putIfAbsent(id, new Vanished(id, incarnation, now));
        }
    }

    void forgotten(String id) {
        lost.remove(id);
    }

    /** The number of the next sign of life, which is sent after this call. */
    long beat(long now) {
        number++;
        sentAt[(int) (number % KEPT)] = now;
        return number;
    }

    /** What others have said last, as it goes into a sign of life. */
    String acknowledgements() {
        StringBuilder text = new StringBuilder();
        peers.forEach((id, peer) -> text.append(' ').append(id).append(':').append(peer.number));
        return text.toString();
    }

    /** The own sign of life came back. Returns how long it took, in nanoseconds. */
    long heardOwn(long beat, long now) {
        if (beat <= number - KEPT || beat > number) {
            return lease;
        }
        long sent = sentAt[(int) (beat % KEPT)];
        if (!ownHeard || sent - ownAliveAt > 0) {
            ownAliveAt = sent;
            ownHeard = true;
        }
        return now - sent;
    }

    /** A sign of life of another. Returns whether it is the first. */
    boolean heard(Message.Beat beat, long now) {
        Peer peer = peers.get(beat.id());
        if (peer == null || peer.incarnation != beat.incarnation()) {
            return false;
        }
        peer.number = beat.number();
        peer.heardAt = now;
        boolean first = !peer.answered;
        for (Doubt.Id heard : beat.heard()) {
            if (heard.owner().equals(self)
                    && heard.number() > number - KEPT
                    && heard.number() <= number
                    && heard.number() > peer.heardOwn) {
                peer.heardOwn = heard.number();
                peer.aliveAt = sentAt[(int) (heard.number() % KEPT)];
                peer.answered = true;
            }
        }
        return first;
    }

    void confirmed(String id, long incarnation, long batch) {
        Peer peer = peers.get(id);
        if (peer != null && peer.incarnation == incarnation) {
            peer.confirmed = Math.max(peer.confirmed, batch);
        }
    }

    /** Whether an instance need not be waited for: it has applied the batch, or that incarnation of it has ended. */
    boolean hasConfirmed(String id, long incarnation, long batch) {
        Long last = ended.get(id);
        if (id.equals(self) || last != null && last >= incarnation) {
            return true;
        }
        Peer peer = peers.get(id);
        return peer != null && peer.incarnation == incarnation && peer.confirmed >= batch;
    }

    /** The moment until which hits may be served, if nothing else is heard; null if they may not. */
    @Nullable
    Long serveUntil() {
        if (!ownHeard || !lost.isEmpty()) {
            return null;
        }
        long oldest = ownAliveAt;
        for (Peer peer : peers.values()) {
            if (!peer.answered) {
                return null;
            }
            oldest = peer.aliveAt - oldest < 0 ? peer.aliveAt : oldest;
        }
        return oldest + lease;
    }

    /** Those of which nothing was heard for so long. */
    List<Silent> silent(long since, long now) {
        List<Silent> silent = new ArrayList<>();
        peers.forEach((id, peer) -> {
            if (now - peer.heardAt > since) {
                silent.add(new Silent(id, peer.incarnation, peer.number));
            }
        });
        return silent;
    }

    boolean isPresent(String id) {
        return id.equals(self) || peers.containsKey(id);
    }

    List<Vanished> lost() {
        return List.copyOf(lost.values());
    }

    List<String> ids() {
        return List.copyOf(peers.keySet());
    }

    /** Instance and incarnation in turn, of all that are there or have vanished. */
    List<String> known() {
        List<String> known = new ArrayList<>();
        peers.forEach((id, peer) -> {
            known.add(id);
            known.add(Long.toString(peer.incarnation));
        });
        lost.forEach((id, vanished) -> {
            known.add(id);
            known.add(Long.toString(vanished.incarnation()));
        });
        return known;
    }
}
