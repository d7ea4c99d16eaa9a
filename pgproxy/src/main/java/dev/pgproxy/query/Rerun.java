package dev.pgproxy.query;

import dev.pgproxy.config.PoolMode;
import dev.pgproxy.pool.PoolCounters.Counter;
import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.backend.SqlState;
import dev.pgproxy.protocol.frame.FrontendType;
import dev.pgproxy.protocol.frame.TransactionStatus;
import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.protocol.sql.StatementFlags;
import dev.pgproxy.routing.RoutingHint;
import dev.pgproxy.server.ServerConnection;
import dev.pgproxy.session.ClientStatements;
import dev.pgproxy.session.Session;
import dev.pgproxy.session.SharedStatement;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import java.util.Objects;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * An exchange that is a transaction by itself, from the moment it is sent to the primary until its first row has come. If
 * it fails for a reason that its client need not know, all of it is undone, and it is run again, on the same server if that is there:
 *
 * <ul>
 *   <li>it lost against another transaction (40001, 40P01): so often as {@code conflict_retries} says, each time after a
 *       longer pause, if it is one SELECT, INSERT, UPDATE, DELETE, MERGE, VALUES or TABLE whose text shows nothing that
 *       outlives its transaction. Source: PostgreSQL's manual, "Serialization Failure Handling";
 *   <li>"cached plan must not change result type", once: a shared statement had been prepared before a table changed, by a
 *       session that the client knows nothing of. Only if the client asks for the description of the rows in the same
 *       exchange: one that goes by an older description would misread what it gets, and is told the error as by
 *       PostgreSQL. Either way later Parses make another statement. Source: src/backend/utils/cache/plancache.c
 *       (RevalidateCachedQuery);
 *   <li>it is a harmless read, and the server ends: once, on another connection to the primary.
 * </ul>
 *
 * Never if something was sent behind it, which would run before it. One per client, confined to its loop.
 */
final class Rerun {
    private static final String STALE_PLAN = "RevalidateCachedQuery";
    private static final String SERIALIZATION_FAILURE = "40001";
    private static final String DEADLOCK_DETECTED = "40P01";

    /** Nanoseconds before the first repetition at most; each further one waits up to four times as long. */
    private static final long FIRST_PAUSE = 20_000_000;

    private static final long LONGEST_PAUSE = 1_000_000_000;

    /** What outlives the transaction that it failed in, or may not be what it says. */
    private static final int OUTLIVES = StatementFlags.UNKNOWN_FUNCTION
            | StatementFlags.SESSION_LOCK
            | StatementFlags.SESSION_UNLOCK
            | StatementFlags.UNPREDICTABLE_STATE
            | StatementFlags.DDL
            | StatementFlags.DO_OR_CALL
            | StatementFlags.OPAQUE
            | StatementFlags.SELECT_INTO
            | StatementFlags.SERVER_FILE;

    private final Session session;
    private final PoolStatements source;
    private final HeldReplies held;
    private final @Nullable Routing routing;
    private Exchange sent = new Exchange();
    private @Nullable ErrorFields failure;
    private boolean conflict;
    private int repeated;

    /** Whether something was sent behind it. */
    private boolean followed;

    /** Whether it is a harmless read. */
    private boolean read;

    /** Whether the server has said that it ends, instead of the answer to a read. */
    private boolean broken;

    /** How many servers it has lost. */
    private int lost;

    Rerun(Session session, PoolStatements source, Channel client, @Nullable Routing routing) {
        this.session = session;
        this.source = source;
        this.held = new HeldReplies(client, false);
        this.routing = routing;
    }

    /**
     * Keeps an exchange that is about to be sent, if it may be repeated, and returns the one to collect the next in.
     *
     * @param lease of the server that gets it
     */
    Exchange keep(Exchange exchange, Lease lease) {
        ServerConnection server = lease.leased();
        followed = true;
        if (lease.isOpen() // a Flush does not end the transaction that it stands in
                || server.status() != TransactionStatus.IDLE
                || server.replies().isIgnoring()
                || !server.replies().isOurs() // a probe does not disturb
                || !isWholeTransaction(exchange)) {
            return exchange;
        }
        Exchange free = sent;
        sent = exchange;
        repeated = 0;
        followed = false;
        read = lease.isNew() && routing != null && routing.isRepeatable();
        held.begin();
        return free;
    }

    /** A Query of one statement, or messages up to Sync that bind and execute once at most. */
    private static boolean isWholeTransaction(Exchange exchange) {
        int last = exchange.size() - 1;
        if (last == 0) {
            QueryFacts facts = exchange.facts(0);
            return facts != null && isOneStatement(facts) && exchange.isWhole(0);
        }
        int binds = 0;
        int executes = 0;
        for (int i = 0; i < last; i++) {
            switch (exchange.type(i)) {
                case FrontendType.BIND -> binds++;
                case FrontendType.EXECUTE -> executes++;
                case FrontendType.PARSE, FrontendType.DESCRIBE, FrontendType.CLOSE -> {}
                default -> {
                    return false;
                }
            }
            if (!exchange.isWhole(i)) {
                return false; // the rest is streamed
            }
        }
        return exchange.type(last) == FrontendType.SYNC && binds <= 1 && executes <= 1;
    }

    private static boolean isOneStatement(QueryFacts facts) {
        return switch (facts.kind()) {
            case SELECT, INSERT, UPDATE, DELETE, MERGE, VALUES, TABLE -> !facts.has(OUTLIVES);
            default -> false;
        };
    }

    /** Bytes for the client; true if they are held back, or not for the client at all. */
    boolean holds(ByteBuf buf, int index, int length) {
        return failure != null || held.holds(buf, index, length);
    }

    /** The client is about to be told something. */
    void pass() {
        held.pass();
    }

    /** An error has come; true if the client is not to hear of it, since {@link #again} will be called. */
    boolean fails(ErrorFields error, @Nullable Object note, ServerConnection server) {
        boolean alone = held.isHolding() && server.replies().boundaries() == 1;
        boolean stale = note instanceof ClientStatements.Entry entry
                && isStale(error)
                && renew(entry, alone && repeated == 0 && isDescribed());
        conflict = alone && isConflict(error) && mayRepeatConflict();
        broken = alone && isRereadable() && error.isFatal() && error.code().startsWith("57P");
        if (conflict || stale || broken) {
            failure = error;
            held.drop();
            return true;
        }
        if (sent.size() > 0 && repeated > 0 && isConflict(error)) {
            source.count(Counter.RETRIES_GIVEN_UP);
        }
        held.pass();
        return false;
    }

    private static boolean isStale(ErrorFields error) {
        return error.code().equals(SqlState.FEATURE_NOT_SUPPORTED.code())
                && STALE_PLAN.equals(error.fields().get('R'));
    }

    /** Later Parses make another statement; true if that is the client's too. */
    private boolean renew(ClientStatements.Entry entry, boolean here) {
        SharedStatement stale = entry.statement();
        SharedStatement fresh = source.fresh(stale);
        String name = null;
        for (int i = 0; i < sent.size() && name == null; i++) {
            name = sent.statementName(i);
        }
        if (!here || name == null || session.statements().find(name) != stale) {
            return false;
        }
        session.statements().put(name, fresh);
        return true;
    }

    /** Whether the client is told what rows look like before it gets any. */
    private boolean isDescribed() {
        for (int i = 0; i < sent.size(); i++) {
            if (sent.type(i) == FrontendType.EXECUTE) {
                return false;
            }
            if (sent.type(i) == FrontendType.DESCRIBE) {
                return true;
            }
        }
        return false;
    }

    private static boolean isConflict(ErrorFields error) {
        return error.code().equals(SERIALIZATION_FAILURE) || error.code().equals(DEADLOCK_DETECTED);
    }

    private boolean mayRepeatConflict() {
        FlowSettings settings = source.settings();
        if (repeated >= settings.conflictRetries()) {
            return false;
        }
        for (int i = 0; i < sent.size(); i++) {
            boolean query = sent.type(i) == FrontendType.QUERY;
            if (query || sent.type(i) == FrontendType.BIND) {
                QueryFacts facts = query ? sent.facts(i) : sent.named(i, session);
                return facts != null && !isRefused(facts) && isOneStatement(facts) && !isTakenByItsOwnParse(settings);
            }
        }
        return false;
    }

    /** Whether the client wants to be told. */
    private boolean isRefused(QueryFacts facts) {
        return facts.hint() instanceof RoutingHint hint && hint.once()
                || routing != null && routing.hint().once();
    }

    /** In session mode the server itself has the names that a Parse has given, also when what follows has failed. */
    private boolean isTakenByItsOwnParse(FlowSettings settings) {
        if (settings.mode() != PoolMode.SESSION) {
            return false;
        }
        for (int i = 0; i < sent.size(); i++) {
            if (sent.type(i) == FrontendType.PARSE && !"".equals(sent.parsedName(i))) {
                return true;
            }
        }
        return false;
    }

    /** Whether an exchange is to be repeated, so that none may be sent. */
    boolean isPending() {
        return failure != null;
    }

    /** What it has failed with; null if nothing is to be repeated. */
    @Nullable
    ErrorFields failure() {
        return failure;
    }

    /** Nanoseconds to wait before {@link #again}: somebody else shall have ended by then. */
    long pause() {
        long most = Math.min(LONGEST_PAUSE, FIRST_PAUSE << 2 * repeated);
        return conflict ? ThreadLocalRandom.current().nextLong(most / 2, most) : 0;
    }

    /** The server is ready: what was kept is sent again. */
    void again(ExchangeWriter writer) {
        String code = Objects.requireNonNull(failure).code();
        if (conflict) {
            source.count(code.equals(DEADLOCK_DETECTED) ? Counter.RETRIES_DEADLOCK : Counter.RETRIES_SERIALIZATION);
        } else {
            source.count(Counter.RETRIES_STALE_PLAN);
        }
        failure = null;
        repeated++;
        sent.unparse(session);
        held.begin();
        writer.write(sent, 0, true);
    }

    private boolean isRereadable() {
        return read && !followed && lost == 0;
    }

    /** Whether the server that is lost takes a read along whose client has got nothing of the answer: {@link #retry} follows. */
    boolean losesRead() {
        return broken || failure == null && sent.size() > 0 && held.isHolding() && isRereadable();
    }

    /** The read once more, for another server; statements that it has made on the way are unmade. Returns a free one. */
    Exchange retry(Exchange free) {
        Exchange again = sent;
        sent = free;
        int before = lost;
        forget();
        lost = before + 1;
        again.unparse(session);
        source.count(Counter.RETRIES_READ);
        return again;
    }

    /** It is not repeated after all: the error that the client is told. */
    ErrorFields giveUp() {
        ErrorFields told = Objects.requireNonNull(failure);
        failure = null;
        sent.clear();
        source.count(Counter.RETRIES_GIVEN_UP);
        return told;
    }

    /** It has been answered. */
    void end() {
        held.pass();
        sent.clear();
        lost = 0;
    }

    /** The server is lost, or the client has gone. */
    void forget() {
        held.drop();
        sent.clear();
        failure = null;
        broken = false;
        lost = 0;
    }
}
