package dev.pgproxy.protocol.sql;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the scanner says about a text of any number of statements. Empty statements are not counted. Immutable; texts
 * of one plain statement share their facts.
 */
public final class QueryFacts {
    /** More statements than this in one text make it {@link StatementFlags#OPAQUE}. */
    public static final int MAX_STATEMENTS = 1000;

    /** A text without any statement. */
    public static final QueryFacts EMPTY = new QueryFacts(List.of(), 0);

    /** A text that must not be looked into. */
    public static final QueryFacts OPAQUE = of(StatementFacts.shared(StatementKind.OTHER, StatementFlags.OPAQUE, null));

    private final List<StatementFacts> statements;
    private final StatementKind kind;
    private final int flags;
    private final @Nullable TextShape shape;
    private final @Nullable TextHint hint;
    private final byte @Nullable [] uncommented;

    QueryFacts(List<StatementFacts> statements, int extraFlags) {
        this(statements, extraFlags, null, null, null);
    }

    private QueryFacts(
            List<StatementFacts> statements,
            int extraFlags,
            @Nullable TextShape shape,
            @Nullable TextHint hint,
            byte @Nullable [] uncommented) {
        this.shape = shape;
        this.hint = hint;
        this.uncommented = uncommented;
        this.statements = List.copyOf(statements);
        int union = extraFlags;
        for (StatementFacts statement : statements) {
            union |= statement.flags();
        }
        flags = union;
        kind = switch (statements.size()) {
            case 0 -> StatementKind.EMPTY;
            case 1 -> statements.getFirst().kind();
            default -> StatementKind.MULTIPLE;
        };
    }

    /** The facts of a text of one statement. */
    public static QueryFacts of(StatementFacts statement) {
        return new QueryFacts(List.of(statement), 0);
    }

    /** The same facts of a text of this shape. */
    public QueryFacts withShape(TextShape of) {
        return new QueryFacts(statements, flags, of, hint, uncommented);
    }

    /** The same facts of a text that asks for this. */
    public QueryFacts withHint(TextHint asked) {
        return new QueryFacts(statements, flags, shape, asked, uncommented);
    }

    /** The same facts of a text that is this without its comments; see {@link SqlAnalyzer#uncommented}. */
    public QueryFacts withUncommented(byte[] text) {
        return new QueryFacts(statements, flags, shape, hint, text);
    }

    /** The text without its comments and with its zero, not to be changed; null if it has none or nobody asked for it. */
    public byte @Nullable [] uncommented() {
        return uncommented;
    }

    /** What is remembered of such texts; null where nobody asked for it. */
    public @Nullable TextShape shape() {
        return shape;
    }

    /** What it asks for in a comment; null if nothing, or where nobody listens. */
    public @Nullable TextHint hint() {
        return hint;
    }

    /** How many statements the text holds; at most {@link #MAX_STATEMENTS}. */
    public int statementCount() {
        return statements.size();
    }

    /** The statements in their order. */
    public List<StatementFacts> statements() {
        return statements;
    }

    /** The only statement; null if there are none or several. */
    public @Nullable StatementFacts only() {
        return statements.size() == 1 ? statements.getFirst() : null;
    }

    /** The union of the statements' {@link StatementFlags}. */
    public int flags() {
        return flags;
    }

    /** Whether one of the given bits is set for any statement. */
    public boolean has(int flag) {
        return (flags & flag) != 0;
    }

    /** The kind of the only statement, else {@link StatementKind#MULTIPLE} or {@link StatementKind#EMPTY}. */
    public StatementKind kind() {
        return kind;
    }

    /**
     * Whether a failed transaction takes it: nothing at all, or one statement that ends the transaction or goes back in it
     * (src/backend/tcop/postgres.c, IsTransactionExitStmt).
     */
    public boolean isForFailedTransaction() {
        return switch (kind) {
            case EMPTY, COMMIT, PREPARE_TRANSACTION, ROLLBACK, ROLLBACK_TO -> true;
            default -> false;
        };
    }

    @Override
    public String toString() {
        return statements + " " + StatementFlags.describe(flags);
    }
}
