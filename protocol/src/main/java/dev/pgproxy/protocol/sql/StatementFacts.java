package dev.pgproxy.protocol.sql;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the scanner says about one statement of a text. Immutable, and shared between texts where nothing in it depends
 * on the text.
 *
 * @param kind what it is
 * @param start offset in bytes of its first token
 * @param end offset behind its last token (the semicolon not included), or {@link #TO_THE_END}
 * @param bodyStart offset of the statement inside it (PREPARE … AS, EXPLAIN, DECLARE … FOR, CREATE … AS, COPY (…)), or
 *     -1 if there is none or it was not found
 * @param flags bits of {@link StatementFlags}
 * @param effect what it does to the session; null if nothing, or nothing that can be said
 * @param unknownFunctions the functions behind {@link StatementFlags#UNKNOWN_FUNCTION} as their text folds, with the
 *     schema where one is written; at most {@link #MAX_UNKNOWN_FUNCTIONS}
 */
public record StatementFacts(
        StatementKind kind,
        int start,
        int end,
        int bodyStart,
        int flags,
        @Nullable SessionEffect effect,
        List<String> unknownFunctions) {
    /** The {@link #end} of shared facts: the statement is the only one and ends with its text. */
    public static final int TO_THE_END = -1;

    /** Further unknown functions are not named: whoever asks for names takes a full list as "any". */
    public static final int MAX_UNKNOWN_FUNCTIONS = 16;

    public StatementFacts {
        unknownFunctions = List.copyOf(unknownFunctions);
    }

    /** Facts that hold for any text which consists of such a statement alone. */
    static StatementFacts shared(StatementKind kind, int flags, @Nullable SessionEffect effect) {
        return new StatementFacts(kind, 0, TO_THE_END, -1, flags, effect, List.of());
    }

    /** The same with an effect that is known better by now. */
    public StatementFacts withEffect(SessionEffect known) {
        return new StatementFacts(kind, start, end, bodyStart, flags, known, unknownFunctions);
    }

    /** Offset behind its last token in a text of so many bytes. */
    public int endIn(int length) {
        return end == TO_THE_END ? length : end;
    }

    /** Whether one of the given bits is set. */
    public boolean has(int flag) {
        return (flags & flag) != 0;
    }

    @Override
    public String toString() {
        return kind + "[" + start + "," + end + ") " + StatementFlags.describe(flags) + " " + unknownFunctions;
    }
}
