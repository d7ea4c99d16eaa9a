package dev.pgproxy.insight;

import dev.pgproxy.insight.Finding.Counter;
import dev.pgproxy.insight.Finding.Kind;
import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.protocol.sql.StatementFlags;
import dev.pgproxy.protocol.sql.StatementKind;
import dev.pgproxy.routing.sql.Shape;
import dev.pgproxy.routing.sql.StatementShape;
import java.util.Collections;
import org.jspecify.annotations.Nullable;

/**
 * What one session has executed of late, to notice a read that is repeated with differing values behind another one: N+1. At most
 * ten statements, about 1 kB, made when they are needed; nothing is allocated for an execution. Confined to the session's
 * loop.
 *
 * <p>A run is the executions of one statement within a window: one transaction block, or what is outside of blocks, each without
 * a pause of a second or, outside of blocks, of 100 ms. Its parents are reads before its first execution that gave several
 * rows, in the same block or outside of any (of a read outside of blocks: in any); one that is executed again does not count any
 * more, and when none is left the run begins anew. It is as long as its differing values are many; a parent gives the values
 * for at most twice as many executions as it gave rows.
 */
public final class Runs {
    /** The values of a statement that are not known, or pick no rows; such an execution belongs to no run. */
    public static final long NO_VALUES = 0;

    static final int MOST = 10;

    private static final long PAUSE_IN_BLOCK = 1_000_000_000L;
    private static final long PAUSE = 100_000_000L;

    /** Such reads do more than read: they may give values to others, but one of them for each row is meant. */
    private static final int NO_PLAIN_READ = StatementFlags.ROW_LOCK
            | StatementFlags.NEXTVAL
            | StatementFlags.CURRVAL
            | StatementFlags.SETVAL
            | StatementFlags.SESSION_LOCK
            | StatementFlags.SESSION_UNLOCK
            | StatementFlags.WRITES
            | StatementFlags.DATA_MODIFYING_CTE
            | StatementFlags.SELECT_INTO
            | StatementFlags.NOTIFIES
            | StatementFlags.LARGE_OBJECT
            | StatementFlags.OPAQUE;

    private final LoopRuns loop;
    private final @Nullable Run[] runs = new @Nullable Run[MOST];
    private int count;
    private int statements;
    private int block;
    private boolean inBlock;
    private long lastEnd;

    /** Whether something in the window has given several rows. */
    private boolean parental;

    /** The runs that have given several rows, and those that parents of others or reads before them are. */
    private int several;

    private int watched;

    private @Nullable Shape declared;
    private @Nullable String tags;

    /** Nothing executed yet. */
    public Runs(LoopRuns loop) {
        this.loop = loop;
    }

    /** One execution that has ended well. Reused for the next one by whoever tells. */
    public static final class Execution {
        @Nullable
        Shape shape;

        QueryFacts facts = QueryFacts.EMPTY;
        long values;
        boolean overlaps;
        boolean continues;
        long rows;
        long began;
        long now;
        boolean inBlock;

        /**
         * What was executed.
         *
         * @param hash of the values that pick its rows, or {@link #NO_VALUES}
         * @param overlapping whether it was sent before the statement before it was answered
         * @param continuing whether it fetches more of what was executed before
         */
        public Execution of(Shape text, QueryFacts of, long hash, boolean overlapping, boolean continuing) {
            shape = text;
            facts = of;
            values = hash;
            overlaps = overlapping;
            continues = continuing;
            return this;
        }

        /**
         * What came of it.
         *
         * @param given rows
         * @param from when it was complete, by System.nanoTime
         * @param to when it was answered
         * @param block whether a transaction block was open then
         */
        public Execution gave(long given, long from, long to, boolean block) {
            rows = given;
            began = from;
            now = to;
            inBlock = block;
            return this;
        }
    }

    /** Whether the values of this matter before it is executed: something has given several rows. */
    public boolean hasParent() {
        return parental;
    }

    /** Whether it has been executed in this window. */
    public boolean knows(Shape shape) {
        return find(shape) >= 0;
    }

    /** Whether what its comment says is to be told when it is executed. */
    public boolean wantsTags(Shape shape) {
        int at = find(shape);
        return at >= 0 && run(at).distinct == loop.threshold() - 1;
    }

    /** What the comment of the execution that is next says. */
    public void tags(@Nullable String of) {
        tags = of;
    }

    /** A transaction ended, or began, without any statement. */
    public void boundary() {
        inBlock = false;
        restart();
    }

    /** A statement has failed. */
    public void failed(long now) {
        lastEnd = now;
    }

    /** A statement has been answered. */
    public void ended(Execution of, Caller caller) {
        Shape shape = of.shape;
        if (shape == null || shape.isLarge()) {
            return; // what a session keeps is bounded
        }
        if (of.inBlock != inBlock) {
            inBlock = of.inBlock;
            restart();
        }
        if (of.began - lastEnd > (inBlock ? PAUSE_IN_BLOCK : PAUSE)) {
            clear();
        }
        lastEnd = of.now;
        StatementKind kind = of.facts.kind();
        switch (kind) {
            case SELECT, VALUES, TABLE, WITH -> read(of, shape, caller);
            case FETCH -> fetched(of.rows);
            case DECLARE -> declared = shape;
            case INSERT, UPDATE, DELETE, MERGE -> written(of, shape, caller);
            case BEGIN, COMMIT, ROLLBACK, PREPARE_TRANSACTION -> restart();
            default -> {
                if (of.facts.has(StatementFlags.DDL)) {
                    clear();
                }
            }
        }
        tags = null;
    }

    /** Another transaction: what is repeated from now on is another repetition. */
    private void restart() {
        block = inBlock ? block + 1 : block;
        for (int i = 0; i < count; i++) {
            run(i).restart();
            givesSeveral(i);
        }
        watched = 0;
    }

    private void clear() {
        count = 0; // what is there is used again
        parental = false;
        several = 0;
        watched = 0;
        declared = null;
    }

    private Run run(int at) {
        Run run = runs[at];
        if (run == null) {
            throw new IllegalStateException("no run " + at + " of " + count);
        }
        return run;
    }

    private int find(Shape shape) {
        for (int i = 0; i < count; i++) {
            if (run(i).shape == shape) {
                return i;
            }
        }
        return -1;
    }

    /** Where its run is; the one that has been quiet for longest leaves for it. */
    private int place(Shape shape) {
        int at = find(shape);
        if (at >= 0) {
            return at;
        }
        if (count < MOST) {
            at = count++;
        } else {
            at = 0;
            for (int i = 1; i < count; i++) {
                at = run(i).last - run(at).last < 0 ? i : at;
            }
            forget(1 << at);
        }
        Run unused = runs[at];
        if (unused == null) {
            runs[at] = new Run(shape);
        } else {
            unused.of(shape);
        }
        return at;
    }

    private void forget(int bit) {
        several &= ~bit;
        watched &= ~bit;
        for (int i = 0; i < count; i++) {
            Run run = run(i);
            run.parents &= ~bit;
            run.repeated &= ~bit;
            run.before &= ~bit;
        }
    }

    /** Rows of a cursor are those of its query. */
    private void fetched(long rows) {
        Shape cursor = declared;
        if (cursor != null && rows > 0) {
            statements++;
            int at = place(cursor);
            executedAgain(at);
            gave(at, rows);
        }
    }

    private void gave(int at, long rows) {
        Run run = run(at);
        run.first = run.first == 0 ? statements : run.first;
        run.last = statements;
        run.block = inBlock ? block : 0;
        run.rows = rows;
        run.allRows += rows;
        givesSeveral(at);
    }

    private void givesSeveral(int at) {
        Run run = run(at);
        boolean gives = run.rows > 1 || run.allRows > Math.max(1, run.executions);
        several = gives ? several | 1 << at : several & ~(1 << at);
        parental |= gives;
    }

    private void read(Execution of, Shape shape, Caller caller) {
        statements++;
        int at = place(shape);
        Run run = run(at);
        if (of.continues) {
            run.rows += of.rows;
            run.allRows += of.rows;
            givesSeveral(at);
            return;
        }
        executedAgain(at);
        if (of.overlaps || of.values == NO_VALUES || of.facts.has(NO_PLAIN_READ)) {
            run.restart();
        } else {
            repeated(run, at, of, caller);
        }
        gave(at, of.rows);
    }

    private void executedAgain(int at) {
        int bit = 1 << at;
        for (int i = 0; i < count && (watched & bit) != 0; i++) {
            Run other = run(i);
            if (i != at && other.executions > 0) {
                other.repeated |= other.parents & bit;
                other.reopened += (other.before & bit) == 0 ? 0 : 1;
            }
        }
    }

    private void repeated(Run run, int at, Execution of, Caller caller) {
        if (run.executions > 0 && roots(run) == 0 && mayBegin(run, at)) {
            run.restart();
        }
        if (run.executions == 0) {
            begin(run, at);
        }
        boolean differs = run.add(of.values, of.now - of.began);
        Finding finding = run.finding;
        if (finding != null) {
            more(run, finding, of);
        } else if (!run.over && differs && run.distinct >= loop.threshold() && roots(run) != 0) {
            found(run, of, caller);
        }
        same(run, of, caller);
    }

    /** The parents that were executed once, and gave several rows: what the others came from. */
    private int roots(Run run) {
        return run.parents & ~run.repeated & several;
    }

    private boolean mayBegin(Run run, int at) {
        return several != 0 && (candidates(at) & several) != 0 && run.finding == null || run.repeated != 0;
    }

    private int candidates(int at) {
        int bits = 0;
        for (int i = 0; i < count; i++) {
            Run other = run(i);
            boolean near = !inBlock || other.block == 0 || other.block == block;
            bits |= i != at && near && other.last > 0 && isRead(other) ? 1 << i : 0;
        }
        return bits;
    }

    private static boolean isRead(Run run) {
        return run.rows >= 0;
    }

    private void begin(Run run, int at) {
        run.begun = statements;
        if (several == 0) {
            return;
        }
        int reads = candidates(at);
        int nearest = nearest(reads);
        run.parents = reads & several | (nearest < 0 ? 0 : 1 << nearest);
        int root = nearest(reads & several);
        for (int i = 0; root >= 0 && i < count; i++) {
            boolean earlier = (reads & ~several & 1 << i) != 0 && run(i).first - run(root).last < 0 && !run(i).known;
            run.before |= earlier ? 1 << i : 0;
        }
        watched |= run.parents | run.before;
    }

    /** The last one executed of these; -1 if there are none. */
    private int nearest(int bits) {
        int found = -1;
        for (int i = 0; i < count; i++) {
            boolean later = found < 0 || run(i).last - run(found).last > 0;
            found = (bits & 1 << i) != 0 && later ? i : found;
        }
        return found;
    }

    /** More executions than the rows of its parents explain are none of theirs. */
    private long limit(Run run) {
        long most = 0;
        for (int i = 0; i < count; i++) {
            int bit = 1 << i;
            if ((run.parents & bit) != 0) {
                Run parent = run(i);
                most = Math.max(most, (run.repeated & bit) == 0 ? parent.rows : parent.allRows);
            }
        }
        return 2 * most;
    }

    private void found(Run run, Execution of, Caller caller) {
        run.limit = limit(run);
        if (run.distinct > run.limit) {
            return; // a parent may still give more
        }
        if (!inBlock && run.reopened >= run.executions - 2 || isWrittenBetween(run)) {
            run.over = true;
            return;
        }
        Finding finding = loop.find(Kind.READ_BY_ROW, run.shape, caller, of.now);
        run.finding = finding;
        run.known = true;
        finding.add(Counter.OCCURRENCES, inBlock, 1);
        finding.add(Counter.EXECUTIONS, inBlock, run.executions);
        finding.add(Counter.NANOS, inBlock, run.nanos);
        finding.seen(of.now);
        finding.tags(tags);
        follows(finding, run.parents & several);
        follows(finding, run.parents & ~several);
        fit(run, finding);
    }

    /** The nearest first. */
    private void follows(Finding finding, int parents) {
        int left = parents;
        for (int at = nearest(left); at >= 0; at = nearest(left)) {
            finding.follows(run(at).shape);
            left &= ~(1 << at);
        }
    }

    private void more(Run run, Finding finding, Execution of) {
        finding.add(Counter.EXECUTIONS, inBlock, 1);
        finding.add(Counter.NANOS, inBlock, of.now - of.began);
        finding.seen(of.now);
        if (run.distinct > run.limit) {
            run.limit = limit(run);
            if (run.distinct > run.limit) {
                run.retract(finding, inBlock);
                return;
            }
        }
        fit(run, finding);
    }

    private void fit(Run run, Finding finding) {
        int nearest = nearest(run.parents & several);
        if (nearest >= 0) {
            Run parent = run(nearest);
            boolean nested = (run.repeated & 1 << nearest) != 0;
            run.fit(finding, inBlock, nested ? parent.allRows : parent.rows, nested);
        }
    }

    /** Whether its table is written between its executions: it is looked whether a row is there, or a row is changed. */
    private boolean isWrittenBetween(Run run) {
        StatementShape read = run.shape.facts();
        for (int i = 0; read != null && i < count; i++) {
            Run other = run(i);
            StatementShape write = isRead(other) || other.last - run.begun < 0 ? null : other.shape.facts();
            if (write != null
                    && other.executions >= run.executions - 2
                    && !Collections.disjoint(write.written(), read.relations())) {
                return true;
            }
        }
        return false;
    }

    private void same(Run run, Execution of, Caller caller) {
        Finding finding = run.sameFinding;
        if (finding != null && run.same > 0) {
            finding.add(Counter.EXECUTIONS, inBlock, 1);
            finding.add(Counter.NANOS, inBlock, of.now - of.began);
            finding.seen(of.now);
        } else if (run.same >= loop.threshold() - 1 && run.distinct == 1) {
            run.sameFinding = counted(Kind.SAME_VALUES, run, of, caller);
        }
    }

    private void written(Execution of, Shape shape, Caller caller) {
        statements++;
        Run run = run(place(shape));
        run.last = statements;
        run.rows = -1;
        if (of.overlaps || of.facts.statementCount() != 1) {
            run.restart();
            return;
        }
        run.executions++;
        run.nanos += of.now - of.began;
        Finding finding = run.finding;
        if (finding != null) {
            finding.add(Counter.EXECUTIONS, inBlock, 1);
            finding.add(Counter.NANOS, inBlock, of.now - of.began);
            finding.seen(of.now);
        } else if (run.executions >= loop.threshold()) {
            run.finding = counted(Kind.WRITE_BY_ROW, run, of, caller);
        }
    }

    private Finding counted(Kind kind, Run run, Execution of, Caller caller) {
        Finding finding = loop.find(kind, run.shape, caller, of.now);
        finding.add(Counter.OCCURRENCES, inBlock, 1);
        finding.add(Counter.EXECUTIONS, inBlock, run.executions);
        finding.add(Counter.NANOS, inBlock, run.nanos);
        finding.seen(of.now);
        finding.tags(tags);
        return finding;
    }
}
