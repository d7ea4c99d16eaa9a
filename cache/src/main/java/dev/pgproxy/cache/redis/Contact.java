package dev.pgproxy.cache.redis;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One attempt to be in contact with Redis, from the first connection to its loss; at most one at a time counts. Confined to
 * the link's thread.
 */
final class Contact {
    private static final Logger LOG = LoggerFactory.getLogger(Contact.class);

    /** What is done with an answer of Redis. */
    interface Answered {
        void answered(List<Object> answer, long sentAt);
    }

    private final long openedAt;
    private final long incarnation;
    private final String id;
    private final Consumer<Runnable> thread;
    private final BiConsumer<Contact, String> refused;
    private @Nullable LinkSession session;

    /** Moments at which scripts were sent that have not been answered, the oldest first. */
    private final ArrayDeque<Long> unanswered = new ArrayDeque<>();

    /** Messages that followed the own JOIN before its answer came; null before it was heard. */
    private @Nullable List<Message> early;

    private boolean joined;
    private long joinedAt;
    private boolean settled;
    private String generation = "";
    private long lastBeatAt;
    private long ownBeatHeardAt;

    /** What the JOIN said: its batch, the doubts in it, and how many unseen writes it stands for. */
    private long joinBatch;

    private Set<Long> joinDoubts = Set.of();
    private long joinUnseen;

    /** Instances whose messages were applied up to a batch, which they are to be told. */
    private Map<String, Long> confirmations = new HashMap<>();

    private boolean closed;

    /**
     * One that is being opened.
     *
     * @param id of this instance
     * @param thread the link's
     * @param refused is called with the reason when Redis has refused something, or this instance has lost its place
     */
    Contact(
            long openedAt,
            long incarnation,
            String id,
            Consumer<Runnable> thread,
            BiConsumer<Contact, String> refused) {
        this.openedAt = openedAt;
        this.incarnation = incarnation;
        this.id = id;
        this.thread = thread;
        this.refused = refused;
    }

    /** It is lost: nothing is sent any more, and nothing that comes counts. */
    void close() {
        closed = true;
        if (session != null) {
            session.close();
        }
    }

    boolean isClosed() {
        return closed;
    }

    /** The channel of all instances. */
    String channel() {
        return session == null ? "" : session.channel();
    }

    /** Tells another instance something, after what was said before. */
    void tell(String instance, String message) {
        if (session != null && !closed) {
            session.tell(instance, message);
        }
    }

    /**
     * Runs a script as a member, after those that were given before.
     *
     * @param rest what follows generation, instance and incarnation
     * @param then gets the answer, and when the script was sent; unless contact is lost before
     */
    void run(LinkScript script, List<String> rest, Answered then) {
        List<String> arguments = new ArrayList<>(rest.size() + 3);
        arguments.add(generation);
        arguments.add(id);
        arguments.add(Long.toString(incarnation));
        arguments.addAll(rest);
        send(script, arguments, (answer, sentAt) -> {
            if (answer.isEmpty()) {
                refused.accept(this, "has no place for this instance any more");
            } else {
                then.answered(answer, sentAt);
            }
        });
    }

    /** Runs a script with just these arguments. */
    void send(LinkScript script, List<String> arguments, Answered then) {
        LinkSession open = session;
        if (closed || open == null) {
            return;
        }
        unanswered.add(System.nanoTime());
        open.run(script, arguments)
                .whenComplete((answer, failure) -> thread.accept(() -> {
                    if (closed) {
                        return;
                    }
                    long sentAt = unanswered.remove();
                    if (answer == null) {
                        LOG.debug("Redis has not run {}", script, failure);
                        refused.accept(this, "has not run " + script + " (" + failure.getMessage() + ")");
                    } else {
                        then.answered(answer, sentAt);
                    }
                }));
    }

    long openedAt() {
        return openedAt;
    }

    long incarnation() {
        return incarnation;
    }

    @Nullable
    LinkSession session() {
        return session;
    }

    void opened(LinkSession newSession) {
        session = newSession;
    }

    /** The JOIN is being sent. */
    void joining(long batch, Set<Long> doubts, long unseen) {
        joinBatch = batch;
        joinDoubts = doubts;
        joinUnseen = unseen;
    }

    long joinBatch() {
        return joinBatch;
    }

    Set<Long> joinDoubts() {
        return joinDoubts;
    }

    long joinUnseen() {
        return joinUnseen;
    }

    /** Whether a message is to be applied now. One that came before the own JOIN is in what that one returns. */
    boolean accepts(Message message) {
        if (early == null) {
            if (message instanceof Message.Joined join && join.id().equals(id) && join.incarnation() == incarnation) {
                early = new ArrayList<>();
            }
            return false;
        }
        if (!joined) {
            early.add(message);
        }
        return joined;
    }

    /** The JOIN was answered. Returns the messages that have followed it. */
    List<Message> joined(String newGeneration, boolean isSettled, long now) {
        joined = true;
        joinedAt = now;
        lastBeatAt = now;
        ownBeatHeardAt = now;
        generation = newGeneration;
        settled = isSettled;
        if (early == null) {
            return List.of(); // it is still to come, and nothing before it counts
        }
        List<Message> followed = List.copyOf(early);
        early.clear();
        return followed;
    }

    boolean isJoined() {
        return joined;
    }

    long joinedAt() {
        return joinedAt;
    }

    String generation() {
        return generation;
    }

    /** Whether every instance that serves hits has been in this generation from then on, and is among the members. */
    boolean isComplete(long now, long surely) {
        return settled || now - joinedAt >= surely;
    }

    /** Whether, moreover, everybody had time to come into this generation and say what he knows of the last. */
    boolean isSettled(long now, long lease) {
        settled |= joined && now - joinedAt >= 3 * lease;
        return settled;
    }

    /** How long the oldest script waits for its answer. */
    long waiting(long now) {
        return unanswered.isEmpty() ? 0 : now - unanswered.getFirst();
    }

    long lastBeatAt() {
        return lastBeatAt;
    }

    void beat(long now) {
        lastBeatAt = now;
    }

    long ownBeatHeardAt() {
        return ownBeatHeardAt;
    }

    void ownBeatHeard(long now) {
        ownBeatHeardAt = now;
    }

    /** An instance is to be told. Returns whether that is the first since {@link #takeConfirmations}. */
    boolean confirm(String instance, long batch) {
        boolean first = confirmations.isEmpty();
        confirmations.merge(instance, batch, Math::max);
        return first;
    }

    Map<String, Long> takeConfirmations() {
        Map<String, Long> taken = confirmations;
        confirmations = new HashMap<>();
        return taken;
    }
}
