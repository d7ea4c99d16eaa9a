package dev.pgproxy.query;

import dev.pgproxy.cache.CachedResult;
import dev.pgproxy.protocol.backend.BackendWriter;
import dev.pgproxy.protocol.backend.ConstantReplies;
import dev.pgproxy.protocol.backend.ResultColumns;
import dev.pgproxy.protocol.frame.BackendType;
import dev.pgproxy.protocol.frame.FrameReader;
import dev.pgproxy.protocol.frame.FrontendType;
import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.results.CacheReason;
import dev.pgproxy.results.Dependency;
import dev.pgproxy.results.Flight;
import dev.pgproxy.results.HotRead;
import dev.pgproxy.results.HotReads;
import dev.pgproxy.results.Results;
import dev.pgproxy.route.DatabaseState;
import dev.pgproxy.routing.CacheWish;
import dev.pgproxy.routing.freshness.Mark;
import dev.pgproxy.routing.freshness.Monotonic;
import dev.pgproxy.routing.freshness.TableClock;
import dev.pgproxy.routing.sql.Shape;
import dev.pgproxy.session.ClientStatements;
import dev.pgproxy.session.Session;
import dev.pgproxy.session.UnnamedStatement;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A client's reads that the cache answers, and those whose answers it is to keep. Nothing is looked up that may not be
 * kept, and nothing is served of which it is not sure that a server would say the same now. Confined to the client's loop.
 */
final class CachedReads {
    /** What became of an exchange. */
    enum Verdict {
        /** It is answered. */
        HIT,
        /** A server has to answer it. */
        MISS,
        /** Another client asks the same just now: to be asked again when that is answered. */
        WAIT
    }

    private final DatabaseState state;
    private final Results results;
    private final PoolStatements statements;
    private final Session session;
    private final RouteDecision decision;
    private final int loop;
    private final ReadKey key;
    private final OneRead read;
    private final CachePolicy policy;
    private final SharedReads shared;
    private final Recorder recorder;
    private final ResultLimit limit;
    private final Channel client;

    /** What the last read depended on: a client often asks the same with other parameters. */
    private @Nullable Dependency last;

    /** What is asked for the result of the last read. */
    private CacheWish wish = CacheWish.NONE;

    private @Nullable Shape lastShape;
    private List<String> lastTags = List.of();

    /** Answers so far, and somewhat more: not all clients are looked at at the same one. */
    private int hits = System.identityHashCode(this);

    /** Whether the exchange whose answer is recorded has still to be sent. */
    private boolean begun;

    /** Until when the exchange waits for other clients' reads; 0 if it has not waited. */
    private long patience;

    CachedReads(DatabaseState state, RouteDecision decision, Channel client, ResultLimit limit) {
        this.limit = limit;
        this.state = state;
        this.results = state.results();
        this.statements = decision.statements();
        this.session = statements.session();
        this.decision = decision;
        this.loop = decision.loop();
        this.client = client;
        this.key = new ReadKey(results, session, state, decision.serverUser());
        this.read = new OneRead(session);
        this.policy = new CachePolicy(state, session);
        this.shared = new SharedReads(state, client.eventLoop());
        this.recorder = new Recorder(results, shared, client.alloc());
    }

    /** Takes part in what is sent to the client. */
    Recorder recorder() {
        return recorder;
    }

    /**
     * Answers an exchange that the decision has just looked at, and which no server has seen; or prepares to record what a
     * server answers to it.
     *
     * @param again runs on the loop when it has to be asked again
     */
    Verdict ask(Exchange exchange, FlowTimes times, Runnable again) {
        recorder.end();
        begun = false;
        if (!results.settings().isOn()) {
            return Verdict.MISS;
        }
        CacheReason reason = state.knowsOfAll() ? why(exchange) : CacheReason.APART;
        if (reason == null) {
            long began = System.nanoTime(); // before anything is known of what it reads
            if (state.clock().lastWrite(decision.reads()) == TableClock.IN_DOUBT) {
                reason = CacheReason.IN_DOUBT;
            } else if (!key.make(exchange, read, decision.definitions(), decision.looksAtSettings())) {
                reason = CacheReason.TOO_LONG;
            } else {
                return lookUp(exchange, times, again, began);
            }
        }
        patience = 0;
        state.counts().count(loop, reason);
        times.missed(reason);
        return Verdict.MISS;
    }

    private Verdict lookUp(Exchange exchange, FlowTimes times, Runnable again, long began) {
        long now = Monotonic.of(began);
        boolean serves = results.settings().serves(); // else nobody has to wait
        CachedResult<Dependency> found = results.get(key.high(), key.low(), now);
        ResultColumns columns =
                found == null ? ResultColumns.UNKNOWN : found.dependency().columns();
        Duration asked = wish.ttl();
        boolean young = found != null && (asked == null || now - found.asOf() < asked.toNanos());
        boolean due = found != null && results.isDue(key.high(), key.low(), found, now);
        if (found != null && !due && young && Answer.suffices(found.bytes(), read) && isAsTold(columns)) {
            patience = 0;
            if (!serves) {
                shadow(found, exchange, now);
                times.missed(CacheReason.SHADOW);
                return Verdict.MISS;
            }
            if (!Answer.isWithin(found.bytes(), limit)) { // the server's answer is cut
                count(false, CacheReason.RULE, now);
                times.missed(CacheReason.RULE);
                return Verdict.MISS;
            }
            count(true, CacheReason.HIT, now);
            statements.watch().values().answered(exchange, shape(), read.bind(), read.parse());
            times.cached(replay(exchange, found.bytes(), columns), shape(), Answer.rows(found.bytes()), began);
            shared.hit(key, found, now);
            if ((++hits & HotReads.SAMPLE - 1) == 0 && results.hot().areWanted()) {
                remember(exchange);
            }
            decision.past().read(decision.reads(), true);
            return Verdict.HIT;
        }
        if (serves && waits(again, now)) {
            return Verdict.WAIT;
        }
        Dependency on = dependency().with(shared.epoch(decision.reads()));
        // how old a shared result is nobody knows to the millisecond
        if (serves && !due && asked == null && shared.look(key, on, shape(), again)) {
            return Verdict.WAIT;
        }
        patience = 0;
        CacheReason reason = due ? CacheReason.RENEWAL : CacheReason.MISS;
        count(false, reason, now);
        times.missed(reason);
        begun = true;
        recorder.begin(key, on, now, ttl(), read.isSimple());
        return Verdict.MISS;
    }

    private void remember(Exchange exchange) {
        HotRead hot = Repetition.of(exchange, read, session);
        if (hot != null) {
            results.hot().met(hot);
        }
    }

    /** This would have answered the exchange. */
    private void shadow(CachedResult<Dependency> found, Exchange exchange, long now) {
        count(true, CacheReason.SHADOW, now);
        begun = true;
        recorder.compare(new Shadow(state, shape(), found, exchange), read.isSimple());
    }

    /** It is decided who answers the exchange. */
    void routed() {
        if (recorder.isRecording() && !decision.isStrict()) {
            state.counts().count(loop, CacheReason.STALE_REPLICA);
            recorder.stale();
        }
    }

    /** The exchange has been sent: its statements are in the session's books. */
    void sent(Exchange exchange) {
        if (begun) {
            recorder.sent();
        }
        if (begun && recorder.isRecording() && !read.isSimple()) {
            String name = read.parse() < 0 ? null : exchange.parsedName(read.parse());
            recorder.executes(name == null ? read.entry() : session.statements().entry(name));
        }
        begun = false;
    }

    /** Why an exchange is not even looked up; null if it is. */
    private @Nullable CacheReason why(Exchange exchange) {
        CacheReason reason = decision.uncacheable();
        if (reason != null) {
            return reason;
        }
        if (decision.reads().isEmpty()) {
            return CacheReason.NO_TABLE;
        }
        if (decision.hint().target() != null || decision.hint().cache().never()) {
            return CacheReason.HINT;
        }
        if (decision.view().token() != null) {
            return CacheReason.TOKEN;
        }
        LocalTransaction transaction = decision.transaction();
        if (transaction.isOpen()
                ? !transaction.isReadCommitted()
                : decision.view().beginsSerializable()) {
            return transaction.isOpen() ? CacheReason.TRANSACTION : CacheReason.SERIALIZABLE;
        }
        Shape shape = shape();
        if (shape != null && shape.isSeldomRepeated() && !shape.isSample(OneRead.digest(exchange))) {
            return CacheReason.SELDOM;
        }
        if (!isWhole(exchange) || !read.isIn(exchange)) {
            return CacheReason.EXCHANGE;
        }
        int bind = read.bind();
        if (bind >= 0
                && BoundValues.haveTimeInput(exchange.buffer(bind), exchange.index(bind), exchange.length(bind))) {
            return CacheReason.TIME_PARAMETER;
        }
        wish = policy.wish(shape(), decision.reads(), decision.hint().cache());
        return wish.never() ? CacheReason.RULE : null;
    }

    private static boolean isWhole(Exchange exchange) {
        for (int i = 0; i < exchange.size(); i++) {
            if (!exchange.isWhole(i)) {
                return false;
            }
        }
        return exchange.isEnded();
    }

    /** Whether another client's read of the same is awaited now. */
    private boolean waits(Runnable again, long now) {
        long most = results.settings().flightWait().toNanos();
        long until = patience == 0 ? now + most : patience;
        Flight flight = now < until ? results.flight(key.high(), key.low()) : null;
        EventLoop loop = client.eventLoop();
        if (flight == null || !flight.await(() -> loop.execute(again))) {
            return false;
        }
        patience = until;
        loop.schedule(again, until - now, TimeUnit.NANOSECONDS);
        return true;
    }

    /** Whether a client that reads rows by what it was told before has been told of these columns. */
    private boolean isAsTold(ResultColumns columns) {
        ClientStatements.Entry entry = read.entry();
        return !read.isReadByHeart()
                || entry != null
                        && columns != ResultColumns.UNKNOWN
                        && entry.gives().equals(columns);
    }

    private Dependency dependency() {
        ClientStatements.Entry entry = read.isSimple() ? null : read.entry();
        ResultColumns columns = entry == null ? ResultColumns.UNKNOWN : entry.gives();
        Dependency before = last;
        if (before == null
                || before.reads() != decision.reads()
                || before.columns() != columns
                || lastShape != shape()
                || !wish.tags().equals(lastTags)) {
            lastShape = shape();
            lastTags = wish.tags();
            before = new Dependency(state.clock(), decision.reads(), marks(), null, columns);
            last = before;
        }
        return before;
    }

    private List<Mark> marks() {
        List<Mark> marks = new ArrayList<>(1);
        decision.eachShape(shape -> marks.add(shape.mark()));
        lastTags.forEach(tag -> marks.add(results.tag(tag)));
        return marks;
    }

    private @Nullable Shape shape() {
        return decision.shape();
    }

    private long ttl() {
        Duration asked = wish.ttl();
        return (asked == null ? state.ttl(state.coverage(decision.reads())) : asked).toNanos();
    }

    private void count(boolean found, CacheReason reason, long now) {
        state.counts().count(loop, reason);
        Shape shape = shape();
        if (shape != null) {
            shape.countLookUp(found, now);
        }
    }

    /** Writes the answer, and leaves the session as a server would; returns how many bytes it is. */
    private int replay(Exchange exchange, byte[] answer, ResultColumns columns) {
        ByteBuf out = client.alloc().buffer(answer.length + 64);
        for (int i = 0; i < exchange.size(); i++) {
            switch (exchange.type(i)) {
                case FrontendType.QUERY -> {
                    session.unnamed(null);
                    Answer.writeBody(answer, out);
                    BackendWriter.readyForQuery(out, session.status());
                }
                case FrontendType.PARSE -> {
                    parsed(exchange, i, columns);
                    out.writeBytes(ConstantReplies.PARSE_COMPLETE.duplicate());
                }
                case FrontendType.BIND -> out.writeBytes(ConstantReplies.BIND_COMPLETE.duplicate());
                case FrontendType.DESCRIBE -> {
                    int from = out.writerIndex();
                    if (OneRead.isStatement(exchange, i)) {
                        Answer.writeStatement(answer, out);
                    } else {
                        Answer.writePortal(answer, out);
                    }
                    told(exchange, columns, out, from);
                }
                case FrontendType.EXECUTE -> Answer.writeBody(answer, out);
                case FrontendType.CLOSE -> {
                    if (OneRead.isStatement(exchange, i)) {
                        LocalAnswer.close(exchange, i, session, out);
                    } else {
                        out.writeBytes(ConstantReplies.CLOSE_COMPLETE.duplicate());
                    }
                }
                default -> BackendWriter.readyForQuery(out, session.status());
            }
        }
        int bytes = out.readableBytes();
        client.write(out, client.voidPromise());
        return bytes;
    }

    /**
     * The client has asked what its statement gives. Where that was kept by a session that has no name for it, it is in the
     * answer alone: unless it is noted, a later change of a type would be taken for what the client was told.
     */
    private void told(Exchange exchange, ResultColumns columns, ByteBuf out, int from) {
        String parsed = read.parse() < 0 ? null : exchange.parsedName(read.parse());
        ClientStatements.Entry entry =
                parsed == null ? read.entry() : session.statements().entry(parsed);
        if (entry != null && columns != ResultColumns.UNKNOWN) {
            entry.gives(columns);
        } else if (entry != null) {
            boolean parameters = out.getByte(from) == BackendType.PARAMETER_DESCRIPTION;
            int at = parameters ? from + 1 + out.getInt(from + 1) : from;
            entry.gives(ResultColumns.read(out, at, out.writerIndex() - at));
        }
    }

    private void parsed(Exchange exchange, int i, ResultColumns columns) {
        QueryFacts facts = exchange.facts(i);
        String name = exchange.parsedName(i);
        if (facts == null || name == null) {
            return;
        }
        if (name.isEmpty()) {
            UnnamedStatement before = session.unnamed();
            int from = exchange.index(i) + FrameReader.HEADER + 1;
            int length = exchange.index(i) + exchange.length(i) - from;
            if (before == null
                    || before.facts() != facts
                    || !before.isSame(exchange.buffer(i), from, length, session.reported())) {
                session.unnamed(new UnnamedStatement(exchange.parsedRest(i), facts, session.reported()));
            }
        } else {
            session.statements()
                    .put(name, statements.find(exchange.parsedRest(i), name, facts))
                    .gives(columns);
        }
    }
}
