package dev.pgproxy.cache.redis;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What this instance says of its own writes: what may be about to begin, and what has ended. Much that comes at once goes
 * into one message. While there is no contact it remembers what the others did not hear. Confined to the link's thread.
 */
final class OwnWrites {
    /** Doubts or outcomes in one message. */
    private static final int AT_ONCE = 100;

    /** Tables whose epochs Redis keeps; beyond, all are raised. */
    private static final int EPOCHS = 50_000;

    private final String id;
    private final long surely;
    private final EpochBook book;
    private final Peers peers;
    private final ForeignDoubts foreign;
    private final Consumer<Runnable> thread;

    private final OwnDoubts doubts = new OwnDoubts();

    /** Ended writes that are not said yet, and those that are said but not heard back. */
    private List<Settlement> unsaid = new ArrayList<>();

    private final Map<Long, Doubt> unheard = new HashMap<>();
    private boolean saying;

    /** As a member; null otherwise. */
    private @Nullable Contact contact;

    /** When the last sign of life was sent at the latest. */
    private long apartSince = System.nanoTime();

    /** Writes of which the others did not hear, and how many of them they were told of when this one came back. */
    private long unseen;

    private long unseenTold;

    OwnWrites(String id, long surely, EpochBook book, Peers peers, ForeignDoubts foreign, Consumer<Runnable> thread) {
        this.id = id;
        this.surely = surely;
        this.book = book;
        this.peers = peers;
        this.foreign = foreign;
        this.thread = thread;
    }

    OwnDoubts doubts() {
        return doubts;
    }

    List<Doubt> open() {
        return doubts.open();
    }

    /** A write is about to begin. It is in the book already. */
    void doubt(Doubt doubt, @Nullable Runnable confirmed) {
        long now = System.nanoTime();
        doubts.add(doubt, confirmed, now);
        if (contact != null) {
            sayLater();
        } else {
            // If others serve later than that, this one has come back, and they know then what is open now.
            doubts.bound(apartSince + surely);
            confirmByTime(now);
        }
    }

    /** A write has ended. */
    void settle(long number, Ending ending) {
        Doubt doubt = doubts.remove(number);
        if (doubt != null) {
            ended(doubt, ending);
        }
    }

    /** A doubt, which is in the book, has ended. */
    void ended(Doubt doubt, Ending ending) {
        if (contact != null) {
            unheard.put(doubt.number(), doubt);
            unsaid.add(new Settlement(doubt.id(), ending, doubt.database(), doubt.tables()));
            sayLater();
        } else {
            unseen += ending.wrote() ? 1 : 0;
            book.undoubt(doubt);
        }
    }

    /** A JOIN is about to be sent, which says what is open. Returns whether there were writes that nobody heard of. */
    boolean joining(Contact joining) {
        Set<Long> numbers = new HashSet<>();
        doubts.open().forEach(doubt -> numbers.add(doubt.number()));
        joining.joining(doubts.publishAll(), numbers, unseen);
        return unseen > unseenTold;
    }

    /**
     * The JOIN was answered. To be called before the first sign of life, because that makes the others serve again: what has
     * changed since the JOIN was sent they must know by then.
     */
    void joined(Contact joined, Map<String, JoinAnswer.Seen> members, long now) {
        contact = joined;
        doubts.published(joined.joinBatch(), incarnations(members), now + surely);
        unseenTold = joined.joinUnseen();
        if (unseen > unseenTold) {
            long told = unseen;
            joined.run(LinkScript.FLUSH, List.of(joined.channel()), (answer, sentAt) -> unseenTold = told);
        }
        Set<Long> ended = new HashSet<>(joined.joinDoubts());
        doubts.open().forEach(doubt -> ended.remove(doubt.number()));
        for (long number : ended) {
            // what it has written, if it has, is among the unseen
            unsaid.add(new Settlement(new Doubt.Id(id, number), Ending.NOTHING, "", TableSet.of()));
        }
        say();
    }

    private static Map<String, Long> incarnations(Map<String, JoinAnswer.Seen> members) {
        Map<String, Long> incarnations = new HashMap<>();
        members.forEach((peer, seen) -> incarnations.put(peer, seen.incarnation()));
        return incarnations;
    }

    /** There is no contact. No sign of life was sent later than this, or what follows an earlier one was never answered. */
    void apart(long since) {
        contact = null;
        apartSince = since;
        doubts.apart(since + surely);
        unseen += unheard.isEmpty() ? 0 : 1;
        unheard.values().forEach(book::undoubt);
        unheard.clear();
        unsaid.clear();
    }

    /** One's own outcome has come back. */
    void heard(Settlement settlement, long sequence) {
        if (settlement.ending().wrote()) {
            book.raise(settlement.database(), settlement.tables(), sequence);
        }
        Doubt doubt = unheard.remove(settlement.doubt().number());
        if (doubt != null) {
            book.undoubt(doubt);
        }
    }

    void confirmByAll(Contact current, long now) {
        if (current.isJoined() && current.isComplete(now, surely)) {
            doubts.confirmByAll(peers, now);
        }
    }

    void confirmByTime(long now) {
        doubts.confirmByTime(contact == null ? OwnDoubts.By.APART : OwnDoubts.By.TIME, now);
    }

    /** Says what is there to say when what is already queued for the thread has been done. */
    void sayLater() {
        if (!saying) {
            saying = true;
            thread.accept(() -> {
                saying = false;
                say();
            });
        }
    }

    /** Says it now. */
    void say() {
        Contact current = contact;
        if (current == null) {
            return;
        }
        while (doubts.hasUnpublished()) {
            List<String> rest = new ArrayList<>();
            List<Doubt> some = doubts.publishSome(AT_ONCE);
            long batch = doubts.batch();
            rest.add(Long.toString(batch));
            rest.add(current.channel());
            some.forEach(doubt -> rest.add(doubt.text()));
            current.run(LinkScript.DOUBT, rest, (answer, sentAt) -> {
                long now = System.nanoTime();
                doubts.published(batch, incarnations(JoinAnswer.members(answer)), now + surely);
                confirmByAll(current, now);
            });
        }
        List<Settlement> ended = new ArrayList<>(unsaid);
        unsaid = new ArrayList<>();
        ended.addAll(foreign.resolved());
        for (int from = 0; from < ended.size(); from += AT_ONCE) {
            List<String> rest = new ArrayList<>(List.of(Integer.toString(EPOCHS), current.channel()));
            ended.subList(from, Math.min(ended.size(), from + AT_ONCE))
                    .forEach(settlement -> rest.add(settlement.text()));
            current.run(LinkScript.SETTLE, rest, (answer, sentAt) -> {});
        }
    }
}
