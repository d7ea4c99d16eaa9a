package dev.pgproxy.protocol.sql;

import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Says of the text of a Query or Parse message which statements it holds and what they mean to a session, and gives
 * its fingerprint, in one pass over the bytes. Ordinary queries and plain BEGIN, COMMIT, ROLLBACK cost no allocation.
 * Confined to its event loop.
 */
public final class SqlAnalyzer {
    private static final int SHARED = 256;

    private final Fingerprint fingerprint;
    private final SqlScanner scanner;
    private final StatementTracker tracker;
    private final EffectReader effects = new EffectReader();
    private final QueryFacts[] shared = new QueryFacts[SHARED];
    private final List<StatementFacts> statements = new ArrayList<>();

    /** The first statement, while it is the only one and needs no facts of its own. */
    private @Nullable StatementKind onlyKind;

    private int onlyFlags;
    private int onlyStart;
    private int onlyEnd;
    private @Nullable SessionEffect onlyEffect;
    private int length;
    private boolean complete;

    /** An analyzer whose fingerprints are stable between processes. */
    public SqlAnalyzer() {
        this(0);
    }

    /** An analyzer whose fingerprints nobody can aim at who does not know the seed. */
    public SqlAnalyzer(long seed) {
        fingerprint = new Fingerprint(seed);
        scanner = new SqlScanner(fingerprint);
        tracker = new StatementTracker(scanner);
    }

    /**
     * Analyses a text without its terminating zero.
     *
     * @param standardConformingStrings whether backslashes in {@code '…'} are plain characters
     * @param asciiUnsafe whether characters of the client encoding may contain ASCII bytes (SJIS, BIG5, GBK, GB18030,
     *     UHC, JOHAB): then only texts of ASCII alone are looked into
     */
    public QueryFacts analyze(
            ByteBuf text, int index, int length, boolean standardConformingStrings, boolean asciiUnsafe) {
        scanner.reset(text, index, length, standardConformingStrings);
        this.length = length;
        complete = false;
        if (asciiUnsafe && !isAscii(scanner.text(), length)) {
            addRaw(scanner.text(), length);
            return QueryFacts.OPAQUE;
        }
        statements.clear();
        onlyKind = null;
        tracker.reset();
        complete = scan();
        complete &= finishStatement() && !scanner.isUnterminated();
        return result(complete ? 0 : StatementFlags.OPAQUE);
    }

    /** The first half of the fingerprint of the last text. */
    public long fingerprintHigh() {
        return fingerprint.high();
    }

    /** The second half of the fingerprint of the last text. */
    public long fingerprintLow() {
        return fingerprint.low();
    }

    /** The hint in a comment of the last text: what stands behind {@code pgproxy:}; null if there is none. */
    public @Nullable String hint() {
        return scanner.comments().hint(scanner.text());
    }

    /**
     * The last text without the comments that mean nothing to anybody, and a zero at its end: equal for texts that differ in
     * those only, and for no others but some that differ in white space in the place of one. Null if it has none, or may not
     * be understood.
     */
    public byte @Nullable [] uncommented() {
        return complete && !scanner.comments().isEmpty() ? scanner.comments().leftOut(scanner.text(), length) : null;
    }

    private boolean scan() {
        for (int type = scanner.next(); type != TokenType.END; type = scanner.next()) {
            if (type == ';' && tracker.isSplitBySemicolon()) {
                if (!finishStatement()) {
                    return false;
                }
                tracker.reset();
            } else if (type == TokenType.OTHER && scanner.text()[scanner.start()] == 0) {
                return false;
            } else {
                if (type == TokenType.STRING) {
                    markMeaning(scanner.text(), scanner.start(), scanner.end());
                }
                tracker.accept(type);
            }
        }
        return true;
    }

    /** Texts with constants that matter for what they read are not the same as others. */
    private void markMeaning(byte[] text, int from, int to) {
        if (TimeInput.mayBeIn(text, from, to)) {
            fingerprint.add(Fingerprint.TIME, 0L);
        }
        if (SettingName.isIn(text, from, to)) {
            fingerprint.add(Fingerprint.SETTING, 0L);
        }
    }

    private QueryFacts result(int extraFlags) {
        StatementKind kind = onlyKind;
        if (kind != null && extraFlags == 0) {
            return shared(kind);
        }
        materialize();
        return statements.isEmpty() && extraFlags == 0 ? QueryFacts.EMPTY : new QueryFacts(statements, extraFlags);
    }

    @SuppressWarnings("EnumOrdinal") // as hash code only
    private QueryFacts shared(StatementKind kind) {
        int hash = kind.ordinal() * 31 + onlyFlags * 0x9E3779B9;
        int slot = (hash ^ (hash >>> 16)) & (SHARED - 1);
        QueryFacts facts = shared[slot];
        if (facts == null || !isSame(facts.statements().getFirst(), kind)) {
            facts = QueryFacts.of(StatementFacts.shared(kind, onlyFlags, onlyEffect));
            shared[slot] = facts;
        }
        return facts;
    }

    private boolean isSame(StatementFacts facts, StatementKind kind) {
        return facts.kind() == kind && facts.flags() == onlyFlags && Objects.equals(facts.effect(), onlyEffect);
    }

    /** Ends the tracker's statement; false if there are too many. */
    private boolean finishStatement() {
        if (tracker.isEmpty()) {
            return true;
        }
        if (statements.size() >= QueryFacts.MAX_STATEMENTS) {
            return false;
        }
        Word verb = tracker.first() == Word.WITH ? tracker.verb() : tracker.first();
        switch (verb) {
            case SELECT, VALUES, TABLE, SHOW, INSERT, UPDATE, DELETE, MERGE -> finishOrdinary(verb);
            case BEGIN, COMMIT, END, ROLLBACK, ABORT -> finishTransaction(verb);
            default -> finishSpecial(effects.read(scanner, tracker));
        }
        return true;
    }

    private void finishOrdinary(Word verb) {
        int flags = tracker.flags();
        if (verb == Word.INSERT || verb == Word.UPDATE || verb == Word.DELETE || verb == Word.MERGE) {
            flags |= StatementFlags.WRITES;
        }
        if ((flags & StatementFlags.SELECT_INTO) != 0 && (flags & StatementFlags.MENTIONS_TEMP_SCHEMA) != 0) {
            flags |= StatementFlags.CREATES_TEMP;
        }
        StatementKind kind = verb.starts == null ? StatementKind.OTHER : verb.starts;
        if (tracker.callsSetConfig()) {
            StatementReader read = effects.readSetConfig(scanner, tracker);
            read.kind = kind;
            finishSpecial(read);
        } else if (tracker.unknownFunctions().isEmpty()) {
            addPlain(kind, flags, null);
        } else {
            add(kind, -1, flags, null, tracker.unknownFunctions());
        }
    }

    private void finishTransaction(Word verb) {
        if (tracker.tokens() > 1) {
            finishSpecial(effects.read(scanner, tracker));
            return;
        }
        switch (verb) {
            case BEGIN -> addPlain(StatementKind.BEGIN, 0, SessionEffect.Begin.PLAIN);
            case COMMIT, END -> addPlain(StatementKind.COMMIT, 0, SessionEffect.Commit.PLAIN);
            default -> addPlain(StatementKind.ROLLBACK, 0, SessionEffect.Rollback.PLAIN);
        }
    }

    private void finishSpecial(StatementReader read) {
        int flags = read.flags | (tracker.flags() & read.trackedFlags);
        boolean calls = (read.trackedFlags & StatementFlags.UNKNOWN_FUNCTION) != 0;
        boolean unpredictable = (read.trackedFlags & StatementFlags.UNPREDICTABLE_STATE) != 0;
        if (unpredictable && tracker.callsSetConfig() && !(read.effect instanceof SessionEffect.SetConfig)) {
            flags |= StatementFlags.UNPREDICTABLE_STATE;
        }
        boolean opaque = (flags & StatementFlags.OPAQUE) != 0;
        add(
                read.kind,
                read.bodyStart,
                flags,
                opaque ? null : read.effect,
                calls ? tracker.unknownFunctions() : List.of());
    }

    private void addPlain(StatementKind kind, int flags, @Nullable SessionEffect effect) {
        if (onlyKind == null && statements.isEmpty()) {
            onlyKind = kind;
            onlyFlags = flags;
            onlyEffect = effect;
            onlyStart = tracker.start();
            onlyEnd = tracker.end();
        } else {
            add(kind, -1, flags, effect, List.of());
        }
    }

    private void add(
            StatementKind kind, int bodyStart, int flags, @Nullable SessionEffect effect, List<String> unknown) {
        materialize();
        statements.add(new StatementFacts(kind, tracker.start(), tracker.end(), bodyStart, flags, effect, unknown));
    }

    /** Gives the first statement facts of its own, as another follows. */
    private void materialize() {
        StatementKind kind = onlyKind;
        if (kind != null) {
            statements.add(new StatementFacts(kind, onlyStart, onlyEnd, -1, onlyFlags, onlyEffect, List.of()));
            onlyKind = null;
        }
    }

    private static boolean isAscii(byte[] bytes, int length) {
        int union = 0;
        for (int i = 0; i < length; i++) {
            union |= bytes[i];
        }
        return union >= 0;
    }

    private void addRaw(byte[] bytes, int length) {
        for (int i = 0; i < length; i++) {
            fingerprint.add(Fingerprint.PART, bytes[i]);
        }
    }
}
