package dev.pgproxy.query;

import dev.pgproxy.config.HostAddress;
import dev.pgproxy.insight.DeadlockSide;
import dev.pgproxy.insight.DeadlockVictim;
import dev.pgproxy.insight.LoopStats;
import dev.pgproxy.insight.SchemaChange;
import dev.pgproxy.insight.StatementStats;
import dev.pgproxy.protocol.backend.CommandTag;
import dev.pgproxy.protocol.frame.BackendType;
import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.protocol.sql.StatementFlags;
import dev.pgproxy.query.Sent.Ending;
import dev.pgproxy.results.CacheReason;
import dev.pgproxy.routing.sql.Shape;
import dev.pgproxy.rules.StatementRules;
import dev.pgproxy.server.ServerConnection;
import dev.pgproxy.server.ServerIdentity;
import dev.pgproxy.session.Session;
import io.netty.buffer.ByteBuf;
import java.time.Instant;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What of a client's statements is under way at a server, to count each when it has been answered: a Query, or an Execute. A
 * Query of several statements is one; so is each Execute, also where several fetch the rows of one portal in parts. Kept beside
 * the server's {@code ReplyQueue}: nothing is allocated for a statement, no row is looked at, and the clock is read only where
 * {@link FlowTimes} does it anyway, and for each Execute of a pipeline but the last. One per client, confined to its loop.
 *
 * <p>What is sent while something else runs begins when that ends, since a server does one thing after the other. Bytes are all
 * that the server has sent since the statement before was complete, ParseComplete and descriptions included.
 */
public final class StatementWatch {
    private static final int START = 8;

    private final @Nullable LoopStats stats;
    private final Session session;
    private final Supplier<String> address;
    private final ValueWatch values;
    private final StatementRules rules;
    private final SampleWatch samples;
    private final SessionCaller caller;

    private @Nullable HostAddress host;
    private @Nullable ServerIdentity backend;

    /** What ended last, since when it ran and where. */
    private @Nullable Shape last;

    private long lastBegan;
    private @Nullable ServerIdentity lastBackend;

    private Sent[] ring = slots(START);
    private int first;
    private int size;

    /** Of what is being sent. */
    private long waited;

    private long sentAt;
    private @Nullable CacheReason missed;

    /** Why the cache does not answer what is sent next. */
    private @Nullable CacheReason nextMissed;

    /** Of the first Parse that is not executed yet. */
    private @Nullable Shape parsed;

    /** What a statement that fails takes the place of. */
    private @Nullable Shape refused;

    /** When what is sent elsewhere once more was complete; 0 = nothing is. */
    private long since;

    /** How often what is first in the ring was sent once more. */
    private long retries;

    /** Of what is first in the ring. */
    private long rows;

    private @Nullable String failure;

    /** Whether the server ignores what is sent until a Sync. */
    private boolean ignoring;

    /** When the last one ended. */
    private long lastEnd;

    /** Bytes forwarded, and those of them that have been counted. */
    private long bytes;

    private long countedBytes;

    /**
     * For one client.
     *
     * @param stats of the client's loop; null = nothing is counted
     * @param address of the client; asked for slow statements only
     * @param rules may say what is slow
     */
    public StatementWatch(@Nullable LoopStats stats, Session session, Supplier<String> address, StatementRules rules) {
        this.rules = rules;
        this.stats = stats;
        this.session = session;
        this.address = address;
        this.samples = new SampleWatch(stats, session);
        this.caller = new SessionCaller(session);
        this.values = new ValueWatch(stats == null ? null : stats.runs(), session);
    }

    /** The values of the client's statements. */
    ValueWatch values() {
        return values;
    }

    /** The texts of the client's statements. */
    SampleWatch samples() {
        return samples;
    }

    private static Sent[] slots(int length) {
        Sent[] slots = new Sent[length];
        for (int i = 0; i < length; i++) {
            slots[i] = new Sent();
        }
        return slots;
    }

    /** A server is the client's from now on. */
    void leased(ServerConnection server) {
        backend = server.identity();
        host = backend.host();
    }

    // ---- what is sent

    /** The cache does not answer the exchange that is sent next. */
    void missed(CacheReason reason) {
        nextMissed = reason;
    }

    /**
     * What is written from now on is sent.
     *
     * @param complete since when it has waited to be; 0 = it has not
     * @param now when it is sent, or 0 while something else is running
     */
    void sending(long complete, long now) {
        if (stats == null) {
            return;
        }
        missed = nextMissed;
        nextMissed = null;
        long begin = since == 0 ? complete : since;
        since = 0;
        sentAt = now == 0 && (size == 0 || begin != 0) ? System.nanoTime() : now;
        waited = begin == 0 ? 0 : sentAt - begin;
    }

    /** A Query was written. */
    void query(QueryFacts facts) {
        add(Ending.READY, (Shape) facts.shape(), 0, defines(facts));
        describe(facts);
    }

    /** A Parse was written: if nothing is executed behind it, its failure is counted all the same. */
    void parsed(QueryFacts facts) {
        Shape own = facts == Refusals.FACTS ? refused : (Shape) facts.shape();
        parsed = parsed == null ? own : parsed;
    }

    /** A statement that fails is put in the place of a message of the exchange and is written next. */
    void refusing(Exchange exchange, int message) {
        refused = stats == null ? null : shape(exchange, message);
    }

    /** An Execute was written, of at most so many rows if that is not 0; null if it is not known of what. */
    void execute(@Nullable QueryFacts facts, int most) {
        parsed = null;
        values.executes();
        add(Ending.COMPLETE, facts == null ? null : (Shape) facts.shape(), most, facts != null && defines(facts));
        describe(facts);
    }

    /** What was written is this, and the values are its. */
    private void describe(@Nullable QueryFacts facts) {
        if (stats == null || ignoring) {
            return;
        }
        ValueWatch.Note before = null;
        for (int i = size - 2; i >= 0 && before == null; i--) {
            Sent sent = ring[first + i & ring.length - 1];
            before = sent.ending == Ending.BOUNDARY ? null : sent.note;
        }
        values.note(ring[first + size - 1 & ring.length - 1].note, facts, before);
    }

    /** Sync or FunctionCall was written. */
    void boundary() {
        ignoring = false;
        add(Ending.BOUNDARY, parsed, 0, false);
        parsed = null;
    }

    /** Temporary tables are nobody else's. */
    private static boolean defines(QueryFacts facts) {
        return facts.has(StatementFlags.DDL) && !facts.has(StatementFlags.CREATES_TEMP);
    }

    private void add(Ending ending, @Nullable Shape shape, int most, boolean defines) {
        if (stats == null || ignoring) {
            return;
        }
        if (size == ring.length) {
            grow();
        }
        Sent sent = ring[first + size & ring.length - 1];
        sent.ending = ending;
        sent.shape = shape;
        sent.defines = defines;
        sent.queued = waited;
        sent.sentAt = sentAt;
        sent.most = most;
        sent.missed = missed;
        sent.slowFrom = ruled(shape);
        size++;
    }

    private void grow() {
        Sent[] more = slots(ring.length * 2);
        for (int i = 0; i < size; i++) {
            more[i] = ring[first + i & ring.length - 1];
        }
        ring = more;
        first = 0;
    }

    // ---- what is under way

    /** What runs now, as far as it is a statement that is counted; null if nothing does. */
    @Nullable
    Active running() {
        Shape shape = size == 0 ? null : ring[first].shape;
        if (shape == null) {
            return null;
        }
        Sent sent = ring[first];
        long began = sent.sentAt == 0 || sent.sentAt - lastEnd < 0 ? lastEnd : sent.sentAt;
        boolean answers = bytes > countedBytes;
        return new Active(answers ? Active.State.ANSWERING : Active.State.RUNNING, shape, began - sent.queued, host);
    }

    /** The server ends what runs, to end a deadlock; {@code detail} as it says. */
    void deadlocked(String detail) {
        Shape shape = size == 0 ? null : ring[first].shape;
        ServerIdentity at = backend;
        if (stats != null && shape != null && at != null) {
            stats.deadlocked(new DeadlockVictim(
                    new DeadlockSide(caller.now(), shape.fingerprint(), shape.masked()),
                    at.host(),
                    at.processId(),
                    detail,
                    System.nanoTime()));
        }
    }

    /** What ran on a backend at a moment, by System.nanoTime; null if nothing of this client did. */
    @Nullable
    DeadlockSide ranAt(HostAddress where, int processId, long moment) {
        Active now = running();
        boolean ran = now != null && now.since() - moment <= 0;
        ServerIdentity on = ran ? backend : lastBackend;
        Shape shape = now != null && ran ? now.shape() : lastBegan - moment <= 0 ? last : null;
        boolean there = on != null && on.processId() == processId && on.host().equals(where);
        return shape == null || !there ? null : new DeadlockSide(caller.now(), shape.fingerprint(), shape.masked());
    }

    /** What waits to be sent. */
    @Nullable
    Active waiting(Exchange exchange, long complete) {
        Shape shape = stats == null || complete == 0 ? null : firstOf(exchange);
        return shape == null ? null : new Active(Active.State.WAITING, shape, complete, null);
    }

    // ---- what is answered

    /** The server has sent bytes for the client. */
    void forwarded(int length) {
        bytes += length;
    }

    /**
     * CommandComplete has come, or another message that ends an Execute.
     *
     * @param unforwarded bytes up to its end that are still to be forwarded
     */
    void ended(ByteBuf buf, int index, int length, int unforwarded) {
        if (size == 0) {
            return;
        }
        Sent sent = ring[first];
        byte type = buf.getByte(index);
        if (type == BackendType.COMMAND_COMPLETE) {
            rows += CommandTag.rows(buf, index, length);
        } else if (type == BackendType.PORTAL_SUSPENDED) {
            rows += sent.most;
        }
        Sent next = ring[first + 1 & ring.length - 1];
        boolean isLast = size > 1 && next.ending == Ending.BOUNDARY && next.shape == null;
        if (sent.ending == Ending.COMPLETE && !isLast) {
            count(System.nanoTime(), unforwarded);
            remove();
        }
    }

    /** What runs has failed, and the client is told this. */
    void failed(String sqlState) {
        if (size == 0) {
            return;
        }
        failure = failure == null ? sqlState : failure;
        if (ring[first].ending == Ending.READY) {
            return; // ReadyForQuery follows by itself
        }
        count(System.nanoTime(), 0);
        while (size > 0 && ring[first].ending != Ending.BOUNDARY) {
            remove();
        }
        if (size > 0) {
            ring[first].shape = null; // what else is told before ReadyForQuery is of the same failure
        }
        ignoring = size == 0;
    }

    /** ReadyForQuery; {@code quiet} if nothing else is expected. */
    void ready(long now, boolean quiet) {
        boolean reached = false;
        while (size > 0 && !reached) {
            reached = ring[first].ending != Ending.COMPLETE;
            if (ring[first].ending != Ending.BOUNDARY) {
                count(now, 0);
            }
            remove();
        }
        if (quiet) {
            clear(); // of a Sync that the server has ignored, in the middle of COPY data
        }
        lastEnd = now;
    }

    /** The server is lost, and the client is told this unless it has heard why already. */
    void lost(String sqlState) {
        failed(sqlState);
        if (size > 0 && ring[first].ending == Ending.READY) {
            count(System.nanoTime(), 0);
        }
        clear();
    }

    /** The same server is sent once more what it was sent last, and the client has heard nothing of it. */
    void repeated() {
        clear();
        retries++;
    }

    /** Another server is sent what was sent last, and the client has heard nothing of it. */
    void elsewhere() {
        if (size > 0) {
            since = ring[first].sentAt == 0 ? lastEnd : ring[first].sentAt - ring[first].queued;
        }
        clear();
        retries++;
    }

    /** What is first has ended. */
    private void count(long now, int unforwarded) {
        Sent sent = ring[first];
        long whole = bytes + unforwarded;
        if (stats != null && sent.shape != null) {
            long began = sent.sentAt == 0 || sent.sentAt - lastEnd < 0 ? lastEnd : sent.sentAt;
            StatementStats entry = stats.find(sent.shape, caller.now(), host, now);
            entry.answered(sent.queued, now - began, rows, whole - countedBytes, now);
            entry.repeated(retries);
            note(entry, sent.shape, sent.slowFrom, sent.queued, now - began, rows, failure);
            if (stats.isLogged()) {
                stats.log(entry.logged(now, address.get(), sent.missed, sent.queued, now - began, rows, failure));
            }
            last = sent.shape;
            lastBegan = began;
            lastBackend = backend;
            long from = began - sent.queued;
            values.ended(sent.note, sent.shape, failure != null, rows, from, now, caller.now());
            if (sent.defines) {
                stats.changed(new SchemaChange(Instant.now(), caller.now(), sent.shape.masked(), failure));
            }
        }
        retries = 0;
        countedBytes = whole;
        lastEnd = now;
        rows = 0;
        failure = null;
    }

    private void remove() {
        ring[first].shape = null;
        ring[first].note.clear();
        first = first + 1 & ring.length - 1;
        size--;
        rows = 0;
        failure = null;
    }

    private void clear() {
        while (size > 0) {
            remove();
        }
        ignoring = false;
        parsed = null;
        countedBytes = bytes;
    }

    // ---- what no server is sent

    /**
     * The cache has answered a statement.
     *
     * @param complete since when it has waited; 0 = it has not
     * @param asked when it was looked up
     */
    void cached(Shape shape, long given, int length, long complete, long asked, long now) {
        nextMissed = null;
        if (stats != null) {
            long queued = complete == 0 ? 0 : asked - complete;
            StatementStats entry = stats.find(shape, caller.now(), null, now);
            entry.cached(queued, now - asked, given, length, now);
            note(entry, shape, ruled(shape), queued, now - asked, given, null);
            if (stats.isLogged()) {
                stats.log(entry.logged(now, address.get(), CacheReason.HIT, queued, now - asked, given, null));
            }
            values.cached(shape, given, asked - queued, now, caller.now());
        }
    }

    /**
     * An exchange is answered with an error of ours: its first statement is counted.
     *
     * @param complete since when it has waited; 0 = it has not
     */
    void refused(Exchange exchange, String sqlState, long complete) {
        nextMissed = null;
        Shape shape = stats == null ? null : firstOf(exchange);
        if (stats != null && shape != null) {
            long now = System.nanoTime();
            long queued = complete == 0 ? 0 : now - complete;
            StatementStats entry = stats.find(shape, caller.now(), null, now);
            entry.answered(queued, 0, 0, 0, now);
            entry.repeated(retries);
            note(entry, shape, ruled(shape), queued, 0, 0, sqlState);
            if (stats.isLogged()) {
                stats.log(entry.logged(now, address.get(), null, queued, 0, 0, sqlState));
            }
        }
        retries = 0;
    }

    private @Nullable Shape firstOf(Exchange exchange) {
        Shape shape = null;
        for (int i = 0; i < exchange.size() && shape == null; i++) {
            shape = shape(exchange, i);
        }
        return shape;
    }

    private @Nullable Shape shape(Exchange exchange, int message) {
        QueryFacts own = exchange.facts(message);
        QueryFacts facts = own == null ? exchange.bound(message, session) : own;
        return facts == null ? null : (Shape) facts.shape();
    }

    private void note(
            StatementStats entry,
            Shape shape,
            long ruled,
            long queued,
            long served,
            long given,
            @Nullable String sqlState) {
        if (sqlState != null) {
            entry.failed(sqlState);
        }
        if (stats != null && stats.isSlow(queued + served, caller.now(), ruled)) {
            stats.slow(entry.slow(Instant.now(), address.get(), queued, served, given, sqlState), shape);
        }
    }

    private long ruled(@Nullable Shape shape) {
        return caller.slowFrom(rules, shape);
    }
}
