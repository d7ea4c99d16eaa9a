package dev.pgproxy.cache.redis;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One instance among others: joins, gives signs of life, says what it has in doubt, applies what others say, and knows
 * until when hits may be served. Confined to the link's thread, except for what is volatile.
 */
final class LinkMember {
    private static final Logger LOG = LoggerFactory.getLogger(LinkMember.class);

    private static final long FIRST_RETRY = 20_000_000;
    private static final long LAST_RETRY = 2_000_000_000;

    private final String id;
    private final RedisAccess access;
    private final LinkSettings settings;
    private final LinkListener listener;
    private final EpochBook book;
    private final Consumer<Runnable> thread;

    private final long lease;
    private final Peers peers;
    private final OwnWrites own;
    private final ForeignDoubts foreign;

    private @Nullable Contact contact;
    private long incarnation;
    private String lastGeneration = "";

    /** When the last sign of life was sent at the latest; before that, the start. */
    private long apartSince;

    private long retryAt;
    private long retryDelay = FIRST_RETRY;
    private boolean leaving;

    /** Why there was no contact the last time; empty if there always was. */
    private String problem = "";

    private volatile long serveUntil;
    private volatile boolean member;
    private volatile boolean everMember;

    /** When the last sign of life was sent that Redis has certainly taken. */
    private volatile long lastContact;

    private long delay;
    private long joins;
    private long losses;
    private long flushes;
    private long heard;

    LinkMember(
            String id,
            RedisAccess access,
            LinkSettings settings,
            LinkListener listener,
            EpochBook book,
            Consumer<Runnable> thread) {
        this.id = id;
        this.access = access;
        this.settings = settings;
        this.listener = listener;
        this.book = book;
        this.thread = thread;
        this.lease = settings.lease().toNanos();
        this.peers = new Peers(id, lease);
        this.foreign = new ForeignDoubts(book, listener);
        this.own = new OwnWrites(id, settings.surely(), book, peers, foreign, thread);
        long now = System.nanoTime();
        this.serveUntil = now;
        this.apartSince = now;
        this.retryAt = now;
        this.lastContact = now;
    }

    /** Whether hits may be served. For any thread. */
    boolean mayServe() {
        return serveUntil - System.nanoTime() > 0;
    }

    /** For any thread. */
    Standing standing() {
        if (member) {
            return Standing.MEMBER;
        }
        boolean remembered = everMember
                && System.nanoTime() - lastContact < settings.forgetAfter().toNanos();
        return remembered ? Standing.APART : Standing.UNSEEN;
    }

    LinkStatus status() {
        return new LinkStatus(
                id,
                member,
                mayServe(),
                standing(),
                member ? "" : problem,
                contact == null ? "" : contact.generation(),
                peers.ids(),
                peers.lost().stream().map(Peers.Vanished::id).toList(),
                own.doubts().size(),
                foreign.size(),
                delay / 1000,
                new LinkStatus.Counters(
                        joins,
                        losses,
                        flushes,
                        heard,
                        own.doubts().count(OwnDoubts.By.ALL),
                        own.doubts().count(OwnDoubts.By.TIME),
                        own.doubts().count(OwnDoubts.By.APART),
                        own.doubts().waited() / 1000));
    }

    /** What this instance says of its own writes. */
    OwnWrites own() {
        return own;
    }

    /** To be called several times per sign of life. */
    void tick() {
        long now = System.nanoTime();
        Contact current = contact;
        if (current == null) {
            if (now - retryAt >= 0 && !leaving) {
                connect(now);
            }
        } else if (!current.isJoined()) {
            long limit = access.settings().connectTimeout().toNanos();
            if (now - current.openedAt() > limit
                    || current.waiting(now) > settings.answer().toNanos()) {
                lose(current, "cannot be reached");
            }
        } else if (current.waiting(now) > settings.answer().toNanos()) {
            lose(current, "does not answer");
        } else if (now - current.ownBeatHeardAt() > 2 * lease) {
            lose(current, "does not deliver messages");
        } else {
            if (now - current.lastBeatAt() >= settings.beat()) {
                beat(current, now);
                watchOthers(current, now);
            }
            own.confirmByAll(current, now);
        }
        own.confirmByTime(now);
    }

    private void connect(long now) {
        Contact opening = new Contact(now, ++incarnation, id, thread, this::lose);
        contact = opening;
        LinkSession.open(
                        access,
                        id,
                        text -> thread.accept(() -> hear(opening, text)),
                        () -> thread.accept(() -> lose(opening, "closed the connection")))
                .whenComplete((session, failure) -> thread.accept(() -> {
                    if (session == null) {
                        LOG.debug("Redis at {} cannot be reached", access, failure);
                        lose(opening, "cannot be reached");
                    } else if (opening.isClosed()) {
                        session.close();
                    } else {
                        opening.opened(session);
                        join(opening);
                    }
                }));
    }

    private void join(Contact current) {
        boolean dirty = own.joining(current);
        List<String> arguments = new ArrayList<>(List.of(
                InstanceLink.randomId(),
                id,
                Long.toString(current.incarnation()),
                Long.toString(current.joinBatch()),
                dirty ? "1" : "0",
                lastGeneration,
                current.channel()));
        addCounted(arguments, own.open());
        addCounted(arguments, List.copyOf(foreign.all()));
        List<String> known = peers.known();
        arguments.add(Integer.toString(known.size()));
        arguments.addAll(known);
        current.send(LinkScript.JOIN, arguments, (answer, sentAt) -> joined(current, answer));
    }

    private static void addCounted(List<String> arguments, List<Doubt> doubts) {
        arguments.add(Integer.toString(doubts.size()));
        doubts.forEach(doubt -> arguments.add(doubt.text()));
    }

    private void joined(Contact current, List<Object> answer) {
        long now = System.nanoTime();
        JoinAnswer state = JoinAnswer.parse(answer);
        List<Message> followed = current.joined(state.generation(), state.settled(), now);
        lastGeneration = state.generation();
        peers.clear();
        state.members().forEach((peer, seen) -> peers.add(peer, seen.incarnation(), seen.number(), now));
        state.lost().forEach((peer, lostIncarnation) -> lost(peer, lostIncarnation, now));
        book.begin(state.generation(), state.base());
        state.epochs().forEach(epoch -> book.raise(epoch.database(), epoch.tables(), epoch.sequence()));
        foreign.replace(
                owner -> true,
                state.doubts().stream()
                        .filter(doubt -> !doubt.owner().equals(id))
                        .toList());
        flush();
        joins++;
        everMember = true;
        member = true;
        LOG.info(
                "Instance {} is one of {} in generation {}", id, state.members().size(), state.generation());
        own.joined(current, state.members(), now);
        beat(current, now);
        for (Message message : followed) {
            apply(current, message, now);
        }
    }

    private void beat(Contact current, long now) {
        current.beat(now);
        current.run(
                LinkScript.BEAT,
                List.of(
                        Long.toString(peers.beat(now)),
                        current.isSettled(now, lease) ? "1" : "0",
                        current.channel(),
                        peers.acknowledgements()),
                (answer, sentAt) -> lastContact = sentAt);
    }

    private void watchOthers(Contact current, long now) {
        for (Peers.Silent silent : peers.silent(settings.surely(), now)) {
            current.run(
                    LinkScript.EVICT,
                    List.of(
                            current.channel(),
                            silent.id(),
                            Long.toString(silent.incarnation()),
                            Long.toString(silent.number())),
                    (answer, sentAt) -> {});
        }
        for (Peers.Vanished vanished : peers.lost()) {
            if (now - vanished.since() >= settings.forgetAfter().toNanos()) {
                forget(vanished.id());
            }
        }
        foreign.tellOrphans(
                peers::isPresent,
                orphan -> thread.accept(() -> {
                    foreign.resolve(orphan);
                    own.sayLater();
                }));
        if (foreign.hasResolved()) {
            own.sayLater(); // again: it was not heard yet
        }
    }

    /** Nothing is expected of an instance that has vanished. */
    void forget(String instance) {
        Contact current = contact;
        if (current == null || !current.isJoined()) {
            return;
        }
        for (Peers.Vanished vanished : peers.lost()) {
            if (vanished.id().equals(instance)) {
                current.run(
                        LinkScript.FORGET,
                        List.of(current.channel(), instance, Long.toString(vanished.incarnation())),
                        (answer, sentAt) -> {});
            }
        }
    }

    private void hear(Contact current, String text) {
        if (current.isClosed()) {
            return;
        }
        heard++;
        Message message;
        try {
            message = Message.parse(text);
        } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
            LOG.warn("A message of Redis at {} cannot be read", access, e);
            lose(current, "has delivered what is no message");
            return;
        }
        if (current.accepts(message)) {
            apply(current, message, System.nanoTime());
        }
    }

    private void apply(Contact current, Message message, long now) {
        switch (message) {
            case Message.Beat beat -> heardBeat(current, beat, now);
            case Message.Doubts doubts -> {
                if (!doubts.id().equals(id)) {
                    doubts.doubts().forEach(foreign::add);
                    confirm(current, doubts.id(), doubts.batch());
                }
            }
            case Message.Settled settled -> settled.settlements().forEach(one -> heardSettled(one, settled.sequence()));
            case Message.Confirmed confirmed -> {
                peers.confirmed(confirmed.id(), confirmed.incarnation(), confirmed.batch());
                own.confirmByAll(current, now);
            }
            case Message.Joined joined -> heardJoined(current, joined, now);
            case Message.Raised raised -> {
                book.raiseAll(raised.base());
                if (raised.written() && !raised.id().equals(id)) {
                    flush();
                }
            }
            case Message.Lost lost -> {
                if (lost.id().equals(id)) {
                    lose(current, "has no place for this instance any more");
                    return;
                }
                lost(lost.id(), lost.incarnation(), now);
                own.confirmByAll(current, now);
            }
            case Message.Forgotten forgotten -> {
                peers.forgotten(forgotten.id());
                book.raiseAll(forgotten.base());
                flush();
            }
            case Message.Left left -> {
                peers.left(left.id(), left.incarnation());
                own.confirmByAll(current, now);
            }
        }
        serveAsLongAsHeard(current, now);
    }

    private void heardBeat(Contact current, Message.Beat beat, long now) {
        if (beat.id().equals(id)) {
            if (beat.incarnation() == current.incarnation()) {
                current.ownBeatHeard(now);
                delay = peers.heardOwn(beat.number(), now);
            }
        } else if (peers.heard(beat, now) && now - current.lastBeatAt() > settings.beat() / 8) {
            beat(current, now); // the sooner both have answered each other, the sooner both serve
        }
    }

    private void heardSettled(Settlement settlement, long sequence) {
        if (settlement.doubt().owner().equals(id)) {
            own.heard(settlement, sequence);
        } else {
            foreign.settle(settlement, sequence);
        }
    }

    private void heardJoined(Contact current, Message.Joined joined, long now) {
        String owner = joined.id();
        if (owner.equals(id)) {
            return;
        }
        peers.add(owner, joined.incarnation(), 0, now);
        foreign.adopted(owner);
        List<Doubt> its = joined.doubts().stream()
                .filter(doubt -> doubt.owner().equals(owner))
                .toList();
        foreign.replace(owner::equals, its);
        for (Doubt doubt : joined.doubts()) {
            if (!doubt.owner().equals(id)) {
                foreign.add(doubt);
            }
        }
        if (joined.dirty()) {
            book.raiseAll(joined.base());
            flush();
        }
        confirm(current, owner, joined.batch());
        beat(current, now);
        own.confirmByAll(current, now);
    }

    private void confirm(Contact current, String instance, long batch) {
        if (current.confirm(instance, batch)) {
            thread.accept(() -> current.takeConfirmations()
                    .forEach((to, upTo) -> current.tell(to, "C " + id + " " + current.incarnation() + " " + upTo)));
        }
    }

    private void lost(String instance, long lostIncarnation, long now) {
        peers.lost(instance, lostIncarnation, now);
        LOG.warn("Instance {} has vanished without a goodbye: no hits until it is back or forgotten", instance);
        listener.lost(instance, () -> thread.accept(() -> forget(instance)));
    }

    private void flush() {
        flushes++;
        listener.flushed();
    }

    private void serveAsLongAsHeard(Contact current, long now) {
        Long until =
                !current.isClosed() && current.isJoined() && current.isSettled(now, lease) ? peers.serveUntil() : null;
        serveUntil = until == null || leaving ? now : until;
    }

    /** Contact is lost: from now on no sign of life is sent, so that a lease later nobody serves hits. */
    private void lose(Contact current, String why) {
        if (current.isClosed()) {
            return;
        }
        long now = System.nanoTime();
        current.close();
        contact = null;
        serveUntil = now;
        book.end();
        peers.forgetSigns();
        if ((current.isJoined() || !why.equals(problem)) && !leaving) {
            LOG.warn("Redis at {} {}: instance {} serves no hits", access, why, id);
        }
        problem = why;
        if (current.isJoined()) {
            losses++;
            member = false;
            apartSince = now;
            retryDelay = now - current.joinedAt() > 5 * lease ? FIRST_RETRY : retryDelay;
        }
        own.apart(apartSince);
        retryAt = now + retryDelay;
        retryDelay = Math.min(2 * retryDelay, LAST_RETRY);
    }

    /** Something of this program is wrong: what was told may be incomplete, so all is learnt anew. */
    void failed() {
        Contact current = contact;
        if (current != null) {
            lose(current, "was left after an internal error");
        }
    }

    /** Leaves for good, with a goodbye if that is possible. Calls back when it is said. */
    void leave(Runnable then) {
        leaving = true;
        serveUntil = System.nanoTime();
        Contact current = contact;
        if (current == null || !current.isJoined()) {
            then.run();
        } else {
            own.say();
            current.run(LinkScript.LEAVE, List.of(current.channel()), (answer, sentAt) -> then.run());
        }
    }

    /** Leaves without a goodbye. */
    void drop() {
        serveUntil = System.nanoTime();
        member = false;
        book.end();
        if (contact != null) {
            contact.close();
            contact = null;
        }
    }
}
