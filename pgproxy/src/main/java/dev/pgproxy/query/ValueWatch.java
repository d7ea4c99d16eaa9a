package dev.pgproxy.query;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.pgproxy.insight.Caller;
import dev.pgproxy.insight.CommentTags;
import dev.pgproxy.insight.LoopRuns;
import dev.pgproxy.insight.Runs;
import dev.pgproxy.protocol.frame.CString;
import dev.pgproxy.protocol.frame.FrameReader;
import dev.pgproxy.protocol.frame.FrontendType;
import dev.pgproxy.protocol.frame.TransactionStatus;
import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.protocol.sql.SqlAnalyzer;
import dev.pgproxy.protocol.sql.StatementKind;
import dev.pgproxy.protocol.sql.ValuePlaces;
import dev.pgproxy.protocol.sql.ValueReader;
import dev.pgproxy.routing.sql.Shape;
import dev.pgproxy.session.Session;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import org.jspecify.annotations.Nullable;

/**
 * Makes a hash of the values with which a client's statements are executed, on their way to a server or the cache, and tells
 * {@link Runs} of each that has been answered. Values are not kept. Nothing is allocated for a statement; a text with literals is
 * read once more only where something has given several rows before it. One per client, confined to its loop.
 */
final class ValueWatch {
    /** Longer texts and binds are not looked into. */
    private static final int MOST_BYTES = 8192;

    /** What the cache answers. */
    private static final QueryFacts READ = read();

    /** What is to be remembered of a statement while it is under way. Used again and again. */
    static final class Note {
        private @Nullable QueryFacts facts;
        private long values;
        private boolean overlaps;
        private boolean continues;

        void clear() {
            facts = null;
        }

        /** Whether it is nothing that anything waits for. */
        private boolean begins() {
            return facts != null && facts.kind() == StatementKind.BEGIN;
        }
    }

    private final @Nullable LoopRuns loop;
    private final Session session;
    private final Runs.Execution execution = new Runs.Execution();
    private @Nullable Runs runs;

    /** Of the literals of the unnamed statement; NO_VALUES = its rows are picked by a list. */
    private long parsed = 1;

    private long values;
    private boolean bound;
    private boolean continues;

    /** How often the client has been read, and when the last statement came; begin and end of transactions do not count. */
    private int reads;

    private int lastRead = -1;

    ValueWatch(@Nullable LoopRuns loop, Session session) {
        this.loop = loop;
        this.session = session;
    }

    private static QueryFacts read() {
        byte[] text = "SELECT 1".getBytes(US_ASCII);
        return new SqlAnalyzer().analyze(Unpooled.wrappedBuffer(text), 0, text.length, true, false);
    }

    private @Nullable Runs runs() {
        if (loop == null || loop.threshold() == 0) {
            return null;
        }
        Runs made = runs;
        if (made == null) {
            made = new Runs(loop);
            runs = made;
        }
        return made;
    }

    /** What a text is the shape of; null if that is not known. */
    static @Nullable Shape shape(@Nullable QueryFacts facts) {
        return facts == null ? null : (Shape) facts.shape();
    }

    /** The places of values that pick rows; null if there are none, or a list of them does. */
    private static @Nullable ValuePlaces places(@Nullable Shape shape) {
        ValuePlaces places = shape == null ? null : shape.values();
        return places == null || !places.hasKey() || places.hasArray() ? null : places;
    }

    /** A Query with this text and its zero is sent. */
    void query(QueryFacts facts, ByteBuf buf, int from, int to) {
        continues = false;
        Shape shape = shape(facts);
        Runs watching = runs();
        values = Runs.NO_VALUES;
        if (watching != null && shape != null && places(shape) != null) {
            values = text(watching, buf, from, to - 1);
            if (watching.wantsTags(shape)) {
                watching.tags(tags(buf, from, to - 1));
            }
        }
    }

    /** A Parse with this behind its name is sent. */
    void parsed(@Nullable QueryFacts facts, ByteBuf buf, int from, int to) {
        Runs watching = runs();
        Shape shape = shape(facts);
        parsed = 1;
        if (watching != null && shape != null && places(shape) != null) {
            int end = CString.find(buf, from, to);
            parsed = end < 0 ? Runs.NO_VALUES : text(watching, buf, from, end);
        }
    }

    private long text(Runs watching, ByteBuf buf, int from, int to) {
        LoopRuns of = loop;
        if (of == null || to - from > MOST_BYTES) {
            return Runs.NO_VALUES;
        }
        if (!watching.hasParent()) {
            return ValueReader.hash(1, buf, from, to) | 1;
        }
        ValueReader reader = of.values();
        reader.read(buf, from, to - from, true);
        return reader.isBatch() ? Runs.NO_VALUES : reader.literals() | 1;
    }

    /**
     * A Bind with this behind its names is sent.
     *
     * @param rest of the Parse of its statement behind the name; null if that is not known
     */
    void bound(@Nullable Shape shape, boolean named, ByteBuf buf, int from, int to, byte @Nullable [] rest) {
        bound = true;
        values = Runs.NO_VALUES;
        ValuePlaces places = places(shape);
        Runs watching = places == null ? null : runs();
        if (watching == null || places == null || shape == null || to - from > MOST_BYTES) {
            return;
        }
        long text = named ? 1 : parsed;
        if (text == Runs.NO_VALUES) {
            values = text;
        } else if (watching.hasParent()) {
            values = parameters(places, text, buf, from, to);
        } else { // it is only asked whether they are the same again
            values = ValueReader.hash(text, buf, from, to) | 1;
        }
        if (rest != null && watching.wantsTags(shape)) {
            watching.tags(CommentTags.of(rest, zero(rest)));
        }
    }

    private static long parameters(ValuePlaces places, long text, ByteBuf buf, int from, int to) {
        int formats = from + 2 <= to ? buf.getUnsignedShort(from) : 0;
        int at = from + 2 + 2 * formats;
        int count = at + 2 <= to ? buf.getUnsignedShort(at) : 0;
        at += 2;
        if (places.isBatch(count)) {
            return Runs.NO_VALUES;
        }
        long hash = text;
        for (int n = 0; n < count && at + 4 <= to; n++) {
            int size = Math.max(0, buf.getInt(at));
            at += 4;
            if (size > to - at) {
                return Runs.NO_VALUES;
            }
            hash = places.isKey(n) ? ValueReader.hash(hash, buf, at, at + size) : hash;
            at += size;
        }
        return hash | 1;
    }

    /** An Execute is sent: of what was bound, or of what was executed before. */
    void executes() {
        continues = !bound;
        bound = false;
    }

    /** The cache has answered this; {@code bind} and {@code parse} are -1 where there is none. */
    void answered(Exchange exchange, @Nullable Shape shape, int bind, int parse) {
        if (exchange.type(0) == FrontendType.QUERY) {
            QueryFacts facts = exchange.facts(0);
            if (facts != null) {
                query(facts, exchange.buffer(0), exchange.index(0) + FrameReader.HEADER, end(exchange, 0));
            }
            return;
        }
        if (parse >= 0) {
            ByteBuf buf = exchange.buffer(parse);
            int end = end(exchange, parse);
            int behindName = CString.end(buf, exchange.index(parse) + FrameReader.HEADER, end) + 1;
            parsed(exchange.facts(parse), buf, behindName, end);
        }
        boolean named = !"".equals(exchange.statementName(bind));
        bound(shape, named, exchange.buffer(bind), exchange.valuesAt(bind), end(exchange, bind), null);
        executes();
    }

    private static int end(Exchange exchange, int message) {
        return exchange.index(message) + exchange.length(message);
    }

    /** The client has sent something. */
    void received() {
        reads++;
    }

    /**
     * What was written is this, and the last values are its.
     *
     * @param before what is under way in front of it; null = nothing
     */
    void note(Note note, @Nullable QueryFacts facts, @Nullable Note before) {
        note.facts = facts;
        if (facts != null && runs() != null) {
            note.values = values;
            note.continues = continues;
            note.overlaps = overlaps(facts.kind(), before != null && !before.begins());
        }
    }

    /** Whether it came before what is before it was answered. */
    private boolean overlaps(StatementKind kind, boolean running) {
        return switch (kind) {
            case BEGIN, COMMIT, ROLLBACK, SAVEPOINT, RELEASE -> false;
            default -> {
                boolean together = lastRead == reads;
                lastRead = reads;
                yield together || running;
            }
        };
    }

    /** What was noted has been answered. */
    void ended(Note note, Shape shape, boolean failed, long rows, long began, long now, Caller caller) {
        Runs watching = runs;
        if (watching == null || note.facts == null) {
            return;
        }
        if (failed) {
            watching.failed(now);
            return;
        }
        boolean inBlock = session.status() != TransactionStatus.IDLE;
        watching.ended(
                execution
                        .of(shape, note.facts, note.values, note.overlaps, note.continues)
                        .gave(rows, began, now, inBlock),
                caller);
    }

    /** The cache has answered what {@link #answered} has looked at. */
    void cached(Shape shape, long rows, long began, long now, Caller caller) {
        Runs watching = runs();
        if (watching != null) {
            boolean overlaps = overlaps(READ.kind(), false);
            boolean inBlock = session.status() != TransactionStatus.IDLE;
            watching.ended(execution.of(shape, READ, values, overlaps, false).gave(rows, began, now, inBlock), caller);
        }
    }

    /** A transaction has begun or ended, and no statement says so. */
    void boundary() {
        Runs watching = runs;
        if (watching != null) {
            watching.boundary();
        }
    }

    private static @Nullable String tags(ByteBuf buf, int from, int to) {
        return CommentTags.of(ByteBufUtil.getBytes(buf, from, to - from), to - from);
    }

    private static int zero(byte[] rest) {
        int at = 0;
        while (at < rest.length && rest[at] != 0) {
            at++;
        }
        return at;
    }
}
