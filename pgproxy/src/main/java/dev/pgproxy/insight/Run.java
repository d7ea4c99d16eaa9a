package dev.pgproxy.insight;

import dev.pgproxy.insight.Finding.Counter;
import dev.pgproxy.routing.sql.Shape;
import org.jspecify.annotations.Nullable;

/**
 * The executions of one statement in a session's window: 112 bytes. Used again for another statement when that one has to
 * leave. Sets of other runs are bits by their place.
 */
final class Run {
    /** Of so many values it is told whether they have been there before, by 16 bits of each. */
    private static final int REMEMBERED = 4;

    Shape shape;

    /** When it was first executed in the window, in statements of the session, and last; 0 = not yet. */
    int first;

    int last;

    /** Whether it was found in this window to be repeated behind another one. */
    boolean known;

    /** The block of that, 0 = outside of any. */
    int block;

    /** What the last execution gave, and all since the run began. */
    long rows;

    long allRows;

    // ---- since the run began

    int begun;
    int executions;
    int distinct;
    int same;
    long nanos;

    /** What gave several rows before it began, or was the last read before it. */
    int parents;

    /** Of these, what has been executed again since. */
    int repeated;

    /** What was executed before the parent, too. */
    int before;

    /** How often one of these was executed since: another request begins, it seems. */
    int reopened;

    /** Executions that do not fit the rows of any parent: from here on it is looked again. */
    long limit;

    /** What it is counted in; null until there are enough. */
    @Nullable
    Finding finding;

    @Nullable
    Finding sameFinding;

    /** Nothing more is to be found in it. */
    boolean over;

    private boolean exact;
    private boolean matched;
    private long values;

    Run(Shape shape) {
        this.shape = shape;
    }

    /** From now on it is of another statement, not executed yet. */
    void of(Shape other) {
        shape = other;
        first = 0;
        last = 0;
        known = false;
        block = 0;
        rows = 0;
        restart();
    }

    /** The next execution is the first. */
    void restart() {
        executions = 0;
        distinct = 0;
        same = 0;
        nanos = 0;
        parents = 0;
        repeated = 0;
        before = 0;
        reopened = 0;
        finding = null;
        sameFinding = null;
        over = false;
        exact = false;
        matched = false;
        allRows = 0;
    }

    /** One execution more; whether its values differ from those of the ones before. */
    boolean add(long hash, long took) {
        executions++;
        nanos += took;
        int value = (int) (hash >>> 48);
        for (int i = Math.min(distinct, REMEMBERED) - 1; i >= 0; i--) {
            if ((values >>> 16 * i & 0xffff) == value) {
                same++;
                return false;
            }
        }
        values = values << 16 | value;
        distinct++;
        return true;
    }

    /** Looks whether the executions fit the rows of the parent by now. */
    void fit(Finding of, boolean inBlock, long parentRows, boolean nested) {
        long lower = nested ? (parentRows + 1) / 2 : parentRows - parentRows / 10;
        boolean fits = executions >= lower && executions <= parentRows + parentRows / 10;
        if (fits != exact) {
            exact = fits;
            of.add(Counter.EXACT, inBlock, fits ? 1 : -1);
        }
        if (!matched && 2L * executions >= parentRows) {
            matched = true;
            of.add(Counter.MATCHED, inBlock, 1);
        }
    }

    /** It was none after all. */
    void retract(Finding of, boolean inBlock) {
        of.add(Counter.OCCURRENCES, inBlock, -1);
        of.add(Counter.EXECUTIONS, inBlock, -executions);
        of.add(Counter.NANOS, inBlock, -nanos);
        of.add(Counter.EXACT, inBlock, exact ? -1 : 0);
        of.add(Counter.MATCHED, inBlock, matched ? -1 : 0);
        finding = null;
        over = true;
    }
}
