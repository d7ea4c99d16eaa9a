package dev.pgproxy.consistency;

import dev.pgproxy.consistency.Link.Answer;
import dev.pgproxy.consistency.Link.Result;
import dev.pgproxy.consistency.Link.Style;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * One client that reads and writes at random, by seed, and asks the {@link Oracle} about every version it reads. A lost
 * connection is a new session, as it is for a proxy. Confined to its thread, but for {@link #cancel}.
 */
final class CheckerSession implements AutoCloseable {
    private static final String NO_TRANSACTION = "no transaction";

    /** What disturbances cause: serialization, deadlock, cancel; and the division and the duplicate that are wanted. */
    private static final Set<String> EXPECTED = Set.of("40001", "40P01", "57014", "22012", "23505");

    /** There is no such prepared transaction; another is about to end it. */
    private static final Set<String> NOT_PREPARED = Set.of("42704", "55000");

    private static final List<String> SNAPSHOTS = List.of(
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            "BEGIN ISOLATION LEVEL REPEATABLE READ",
            "BEGIN TRANSACTION ISOLATION LEVEL SERIALIZABLE READ ONLY");

    /** How many reads are asked again and again. */
    private static final int HOT = 150;

    private static final long PATIENCE = TimeUnit.SECONDS.toNanos(30);

    private final int number;
    private final Oracle oracle;
    private final Link.Target target;
    private final SplittableRandom random;
    private final PrimaryLink primary;
    private final long hot;
    private volatile @Nullable Link link;

    private Viewer viewer;
    private int connections;

    private String transaction = NO_TRANSACTION;
    private boolean isSnapshot;
    private long snapshotMoment;
    private final Map<Register, Long> snapshot = new HashMap<>();

    /** Writes of the transaction in their order; their registers are ours. */
    private final List<Write> pending = new ArrayList<>();

    /** A statement that reads, the rows it must return, and the least version of each. */
    private record Wanted(Sql sql, List<Register> registers, long[] floors) {}

    /** @param outside leads past what is tested */
    CheckerSession(int number, long seed, Oracle oracle, Link.Target target, Link.Target outside) {
        this.number = number;
        this.hot = oracle.workload().hot() > 0 ? seed | 1 : 0;
        this.oracle = oracle;
        this.target = target;
        this.primary = new PrimaryLink(number, oracle, outside);
        this.random = new SplittableRandom(seed * 1_000_003 + number);
        this.viewer = oracle.viewer("session " + number, Guise.of(number));
    }

    /** One random thing, fully answered and checked. */
    void step() {
        connect();
        primary.look();
        int waiting = oracle.prepared.size();
        if (viewer.guise.endsForOthers() && waiting > 0 && random.nextInt(waiting > 8 ? 3 : 30) == 0) {
            endOnePrepared();
        } else if (hot != 0 && random.nextInt(100) < oracle.workload().hot()) {
            readHot();
        } else {
            int dice = random.nextInt(100);
            if (dice < 58) {
                reads(1);
            } else if (dice < 67) {
                reads(random.nextInt(2, 5));
            } else if (dice < 82) {
                writes(dice);
            } else {
                transactions(dice);
            }
        }
    }

    private void writes(int dice) {
        if (random.nextInt(100) < oracle.workload().outside()) {
            writeOutside();
        } else if (dice < 75) {
            write();
        } else if (dice < 77) {
            writeAndRead();
        } else if (dice < 78) {
            writeTwice();
        } else {
            cutWrite();
        }
    }

    private void transactions(int dice) {
        if (oracle.workload().outside() == 100) {
            readOnly("BEGIN READ ONLY", false);
        } else if (oracle.families().stream().allMatch(Family::isTimeless)) {
            Family family = any(oracle.families());
            if (family.isGuarded() && random.nextInt(6) == 0) {
                guarded(family);
            }
        } else if (dice < 89) {
            transaction();
        } else if (dice < 91) {
            prepareTransaction();
        } else if (dice < 93) {
            serializable();
        } else if (dice < 95) {
            readOnly("BEGIN READ ONLY", false);
        } else if (dice < 98) {
            readOnly(any(SNAPSHOTS), true);
        } else if (oracle.workload().isFocused() || random.nextInt(10) == 0) {
            Family family = any(oracle.families());
            if (family.isGuarded()) {
                guarded(family);
            }
        }
    }

    /** Reads every row where it was written: what was acknowledged is there. */
    void readEverything() {
        connect();
        begin("BEGIN", false);
        for (Family family : oracle.families()) {
            look(List.of(wanted(family, any(family.readsOfAll), null)), Style.SIMPLE);
        }
        end("COMMIT");
    }

    /** From any thread. */
    void cancel() {
        Link current = link;
        if (current != null) {
            current.cancel();
        }
    }

    @Override
    public void close() {
        drop();
        primary.close();
    }

    // ---- reads

    private boolean reads(int count) {
        List<Wanted> wanted = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            wanted.add(anyRead(count > 1));
        }
        return look(wanted, any(List.of(Style.values())));
    }

    /** A cache only answers what is asked again; who has had a row from a server asks the cache for it. */
    private boolean readHot() {
        SplittableRandom one = new SplittableRandom(hot + random.nextInt(HOT));
        Family family = oracle.families().get(one.nextInt(oracle.families().size()));
        boolean isAll = one.nextInt(6) == 0;
        List<String> templates = isAll ? family.readsOfAll : family.reads;
        String template = templates.get(one.nextInt(templates.size()));
        Integer key = isAll ? null : one.nextInt(family.keys());
        Style style = Style.values()[one.nextInt(Style.values().length)];
        if (transaction.equals(NO_TRANSACTION) && key != null && random.nextInt(6) == 0) {
            look(List.of(wanted(family, any(family.reads), key)), any(List.of(Style.values())));
            connect();
        }
        return look(List.of(wanted(family, template, key)), style);
    }

    private Wanted anyRead(boolean isBatch) {
        while (true) {
            Family family = any(oracle.families());
            boolean isAll = random.nextInt(6) == 0;
            String template = any(isAll ? family.readsOfAll : family.reads);
            boolean unfit = isBatch && template.startsWith("COPY") || isSnapshot && family.isTimeless();
            if (!unfit) {
                return wanted(family, template, isAll ? null : random.nextInt(family.keys()));
            }
        }
    }

    /** The floors are of this moment, or of the snapshot; a key of null reads all. */
    private Wanted wanted(Family family, String template, @Nullable Integer key) {
        if (isSnapshot && snapshotMoment == 0) {
            snapshotMoment = System.nanoTime();
        }
        List<Register> registers = new ArrayList<>();
        for (int k = 0; k < family.keys(); k++) {
            if (key == null || key == k) {
                registers.add(oracle.register(family, k));
            }
        }
        long[] floors = registers.stream().mapToLong(this::floor).toArray();
        return new Wanted(new Sql(template, key == null ? 0 : key, 0), registers, floors);
    }

    private long floor(Register register) {
        Write own = ownPending(register);
        boolean strict = !transaction.equals(NO_TRANSACTION) && !transaction.contains("READ ONLY");
        return own != null ? own.version : oracle.floor(register, viewer, isSnapshot ? snapshotMoment : 0, strict);
    }

    private boolean look(List<Wanted> wanted, Style style) {
        List<Sql> statements = wanted.stream().map(Wanted::sql).toList();
        Look look = look(style, statements);
        Answer answer = look.link().run(style, statements);
        return isOk(answer, look) && judge(look, wanted, answer.results());
    }

    private Look look(Style style, List<Sql> statements) {
        Link current = link;
        if (current == null) {
            throw new IllegalStateException("not connected");
        }
        return new Look(viewer, transaction, current, style, statements, System.nanoTime());
    }

    private boolean judge(Look look, List<Wanted> wanted, List<Result> results) {
        if (results.size() != wanted.size()) {
            return oracle.blame(Violation.Kind.ROWS, look, null, 0, results.size() + " results");
        }
        boolean fine = true;
        for (int i = 0; i < wanted.size(); i++) {
            oracle.reads.increment();
            fine &= judge(look, wanted.get(i), results.get(i).rows());
        }
        return fine;
    }

    private boolean judge(Look look, Wanted wanted, List<List<String>> rows) {
        Map<String, List<String>> byKey = new HashMap<>();
        rows.forEach(row -> byKey.put(row.getFirst(), row));
        if (rows.size() != wanted.registers.size() || byKey.size() != rows.size()) {
            return oracle.blame(Violation.Kind.ROWS, look, null, 0, rows);
        }
        boolean fine = true;
        for (int i = 0; i < wanted.registers.size(); i++) {
            Register register = wanted.registers.get(i);
            List<String> row = byKey.getOrDefault(Integer.toString(register.key), List.of());
            if (row.size() < 2 || row.contains("null")) {
                return oracle.blame(Violation.Kind.ROWS, look, register, wanted.floors[i], rows);
            }
            long version = Long.parseLong(row.get(1));
            String mark = look.viewer().guise.mark(register.family);
            boolean isOthers = !mark.isEmpty() && !mark.equals(row.getLast());
            boolean isTorn = mark.isEmpty() && row.stream().skip(2).anyMatch(other -> !other.equals(row.get(1)));
            Long before = isSnapshot ? snapshot.putIfAbsent(register, version) : null;
            if (isOthers) {
                fine = oracle.blame(Violation.Kind.OTHERS, look, register, wanted.floors[i], row + ", not " + mark);
            } else if (isTorn || before != null && before != version) {
                String got = before == null ? row.toString() : row + " after " + before;
                fine = oracle.blame(Violation.Kind.TORN, look, register, wanted.floors[i], got);
            } else {
                fine &= oracle.judge(look, register, wanted.floors[i], version);
            }
        }
        return fine;
    }

    // ---- writes

    /** A row that nobody else writes until it is given back, or null. */
    private @Nullable Register claim() {
        for (int attempt = 0; attempt < 5; attempt++) {
            Register register = any(oracle.registers());
            boolean isFit =
                    !register.family.isGuarded() && (transaction.equals(NO_TRANSACTION) || !register.family.isLone());
            if (isFit && register.tryWriting()) {
                return register;
            }
        }
        return null;
    }

    /** What counts as a change of definitions has a cache begin anew, so there it is rare. */
    private String anyWrite(Family family) {
        String template = any(family.writes);
        while (hot != 0 && template.startsWith("DO") && random.nextInt(20) > 0) {
            template = any(family.writes);
        }
        return template;
    }

    /** One template may be several statements. */
    private static List<Sql> statements(String template, int key, long version) {
        return template.startsWith("DO")
                ? List.of(new Sql(template, key, version))
                : Arrays.stream(template.split(";"))
                        .map(each -> new Sql(each, key, version))
                        .toList();
    }

    private void write() {
        Register register = claim();
        if (register == null) {
            return;
        }
        String template = anyWrite(register.family);
        boolean whole = random.nextInt(4) == 0 && !template.startsWith("COPY");
        Write write = register.begin(viewer.name, template);
        List<Sql> statements = new ArrayList<>(statements(template, register.key, write.version));
        if (whole) {
            statements.addFirst(Sql.plain("BEGIN"));
            statements.addLast(Sql.plain("COMMIT"));
            switch (random.nextInt(6)) {
                case 0 -> statements.addLast(Sql.plain("SELECT pg_sleep(0.005)"));
                case 1, 2 -> statements.addLast(Sql.plain("SELECT 1/0"));
                default -> {}
            }
        }
        commit(List.of(write), statements, List.of());
        if (whole && link != null) {
            control("ROLLBACK"); // a warning where the transaction has ended
        }
        register.doneWriting();
    }

    /** In one exchange: what was just written is read. */
    private void writeAndRead() {
        Register register = claim();
        if (register == null) {
            return;
        }
        Family family = register.family;
        String template = anyWrite(family);
        String read = any(family.reads);
        if (template.startsWith("COPY") || read.startsWith("COPY")) {
            register.doneWriting();
            return;
        }
        Write write = register.begin(viewer.name, template);
        List<Sql> statements = new ArrayList<>(statements(template, register.key, write.version));
        Wanted other = anyRead(true);
        statements.addFirst(other.sql);
        Wanted own = new Wanted(new Sql(read, register.key, 0), List.of(register), new long[] {write.version});
        statements.add(own.sql);
        commit(List.of(write), statements, List.of(other, own));
        register.doneWriting();
    }

    private void writeTwice() {
        Register register =
                oracle.has(Family.PLAIN) ? oracle.register(Family.PLAIN, random.nextInt(Family.KEYS)) : null;
        if (register != null && register.tryWriting()) {
            Write first = register.begin(viewer.name, "the first of " + Family.WRITE_TWICE);
            Write second = register.begin(viewer.name, Family.WRITE_TWICE);
            commit(
                    List.of(first, second),
                    List.of(new Sql(Family.WRITE_TWICE, register.key, second.version)),
                    List.of());
            register.doneWriting();
        }
    }

    /** An exchange that commits by itself; the reads are its first and its last statement. */
    private void commit(List<Write> writes, List<Sql> statements, List<Wanted> reads) {
        Style style = any(List.of(Style.values()));
        Look look = look(style, statements);
        writes.forEach(write -> write.register.committing(write, look.sent()));
        Answer answer = look.link().run(style, statements);
        boolean ok = isOk(answer, look);
        boolean several = writes.size() > 1
                || writes.getFirst().register.family.isLone()
                || statements.stream().anyMatch(sql -> sql.template().equals("COMMIT"));
        for (Write write : writes) {
            if (ok) {
                oracle.writes.increment();
                oracle.acknowledged(write, viewer);
            } else if (answer.isLost() || several) { // an error may have come after the commit
                primary.lost(write);
            } else {
                oracle.aborted(write);
            }
        }
        if (ok && !reads.isEmpty()) {
            List<Result> results = answer.results();
            if (results.size() == statements.size()) {
                judge(look, reads, List.of(results.getFirst(), results.getLast()));
            } else {
                oracle.blame(Violation.Kind.ROWS, look, null, 0, results.size() + " results");
            }
        } else if (ok
                && statements.size() == 1
                && !statements.getFirst().template().startsWith("EXPLAIN")) {
            returning(look, writes.getLast(), answer.results());
        }
    }

    /** A write that returns something returns its version. */
    private void returning(Look look, Write write, List<Result> results) {
        List<List<String>> rows =
                results.isEmpty() ? List.of() : results.getLast().rows();
        if (!rows.isEmpty() && !rows.equals(List.of(List.of(Long.toString(write.version))))) {
            oracle.blame(Violation.Kind.ROWS, look, write.register, write.version, rows);
        }
    }

    /** The connection is cut before the answer: the server may commit, now or later, or not. */
    private void cutWrite() {
        Link current = link;
        Register register = current == null ? null : claim();
        if (register == null || current == null) {
            return;
        }
        String template = anyWrite(register.family);
        if (!template.startsWith("COPY")) {
            Write write = register.begin(viewer.name, template + ", and gone");
            List<Sql> statements = new ArrayList<>(statements(template, register.key, write.version));
            if (random.nextInt(3) == 0) {
                statements.addFirst(Sql.plain("BEGIN"));
                statements.addLast(Sql.plain("COMMIT"));
                statements.addLast(Sql.plain("SELECT pg_sleep(0.005)"));
            }
            register.committing(write, System.nanoTime());
            if (current.cut(statements)) {
                primary.lost(write);
                drop();
            } else {
                oracle.aborted(write);
            }
        }
        register.doneWriting();
    }

    private void writeOutside() {
        Register register = claim();
        if (register == null) {
            return;
        }
        if (!register.family.isLone()) {
            String template = anyWrite(register.family);
            Write write = register.begin(viewer.name, template, true);
            register.committing(write, System.nanoTime());
            Answer answer =
                    primary.run(any(List.of(Style.values())), statements(template, register.key, write.version));
            if (answer != null && answer.isOk()) {
                oracle.writes.increment();
                oracle.acknowledged(write);
            } else if (answer != null && answer.isLost()) {
                primary.lost(write);
            } else {
                oracle.aborted(write);
            }
        }
        register.doneWriting();
    }

    // ---- transactions

    private void transaction() {
        if (!begin(random.nextBoolean() ? "BEGIN" : "START TRANSACTION ISOLATION LEVEL READ COMMITTED", false)) {
            return;
        }
        boolean fine = true;
        for (int left = random.nextInt(1, 7); left > 0 && fine; left--) {
            int dice = random.nextInt(10);
            fine = dice < 5
                    ? hot != 0 && random.nextBoolean() ? readHot() : reads(random.nextInt(1, 3))
                    : dice < 6 ? lockingRead() : dice < 8 ? pendingWrite() : savepoint();
        }
        if (fine && random.nextInt(8) == 0) {
            fine = control(Family.DOOM);
        }
        end(fine && random.nextInt(4) > 0 ? "COMMIT" : "ROLLBACK");
    }

    private boolean lockingRead() {
        if (!oracle.has(Family.PLAIN)) {
            return reads(1);
        }
        Wanted wanted = wanted(
                Family.PLAIN, "SELECT key, version FROM plain WHERE key = $1 FOR SHARE", random.nextInt(Family.KEYS));
        return look(List.of(wanted), any(List.of(Style.values())));
    }

    private boolean pendingWrite() {
        Register register = pending.isEmpty() || random.nextInt(4) > 0 ? claim() : any(pending).register;
        return register == null || pendingWrite(register, anyWrite(register.family));
    }

    private boolean pendingWrite(Register register, String template) {
        Write write = register.begin(viewer.name, template);
        pending.add(write);
        List<Sql> statements = statements(template, register.key, write.version);
        Style style = any(List.of(Style.values()));
        Look look = look(style, statements);
        return isOk(look.link().run(style, statements), look);
    }

    private boolean savepoint() {
        int mark = pending.size();
        String name = "s" + random.nextInt(3);
        if (!control("SAVEPOINT " + name)) {
            return false;
        }
        boolean fine = true;
        for (int left = random.nextInt(1, 3); left > 0 && fine; left--) {
            fine = random.nextInt(3) == 0 ? reads(1) : pendingWrite();
        }
        if (fine && random.nextInt(3) == 0) {
            return control("RELEASE SAVEPOINT " + name);
        }
        if (fine && random.nextInt(3) == 0) {
            control("SELECT 1/0");
        }
        if (link == null || !control("ROLLBACK TO SAVEPOINT " + name)) {
            return false;
        }
        List<Write> undone = pending.subList(mark, pending.size());
        Set<Register> kept = registers(pending.subList(0, mark));
        undone.forEach(oracle::aborted);
        registers(undone).stream().filter(register -> !kept.contains(register)).forEach(Register::doneWriting);
        undone.clear();
        return reads(1);
    }

    /** Reads, and writes what others read: one of them fails, here or there. */
    private void serializable() {
        if (!begin("BEGIN ISOLATION LEVEL SERIALIZABLE", true)) {
            return;
        }
        boolean fine = true;
        for (int left = random.nextInt(1, 5); left > 0 && fine; left--) {
            fine = reads(1);
        }
        isSnapshot = false;
        for (int left = random.nextInt(1, 3); left > 0 && fine; left--) {
            fine = pendingWrite();
        }
        end(fine ? "COMMIT" : "ROLLBACK");
    }

    /** Writes in a transaction that somebody else will end. */
    private void prepareTransaction() {
        if (!viewer.guise.endsForOthers() || !begin("START TRANSACTION ISOLATION LEVEL READ COMMITTED", false)) {
            return;
        }
        boolean fine = true;
        for (int left = random.nextInt(1, 3); left > 0 && fine; left--) {
            Register register = claim();
            fine = register == null || pendingWrite(register, anyWrite(register.family));
        }
        if (!fine || pending.isEmpty()) {
            end("ROLLBACK");
            return;
        }
        String gid = "consistency " + number + " " + System.nanoTime();
        Look look = look(Style.SIMPLE, List.of(Sql.plain("PREPARE TRANSACTION '" + gid + "'")));
        Answer answer = look.link().run(look.style(), look.statements());
        if (!isOk(answer, look) && !answer.isLost()) {
            end("ROLLBACK"); // which it is already
            return;
        }
        oracle.prepared.add(new Prepared(gid, pending, answer.isOk()));
        pending.clear();
        transaction = NO_TRANSACTION;
        oracle.transactions.increment();
    }

    /** The last thing to do, as others may wait for the rows. */
    void endPrepared() {
        long deadline = System.nanoTime() + PATIENCE;
        while (viewer.guise.endsForOthers() && !oracle.prepared.isEmpty() && System.nanoTime() - deadline < 0) {
            connect();
            endOnePrepared();
        }
    }

    private void endOnePrepared() {
        Prepared one = oracle.prepared.poll();
        if (one == null) {
            return;
        }
        boolean before = one.commits != null;
        boolean commits = one.commits == null ? random.nextInt(4) > 0 : one.commits;
        one.commits = commits;
        String sql = (commits ? "COMMIT" : "ROLLBACK") + " PREPARED '" + one.gid + "'";
        Look look = look(any(List.of(Style.values())), List.of(Sql.plain(sql)));
        if (commits) {
            one.writes.forEach(write -> write.register.committing(write, look.sent()));
        }
        Answer answer = look.link().run(look.style(), look.statements());
        boolean gone = NOT_PREPARED.contains(answer.sqlState());
        boolean waits = System.nanoTime() - one.since < TimeUnit.SECONDS.toNanos(3);
        if (!answer.isOk() && (!gone || waits)) {
            if (!gone || one.certain && !before && answer.sqlState().equals("42704")) {
                isOk(answer, look);
            }
            oracle.prepared.add(one);
            return;
        }
        for (Write write : one.writes) {
            if (answer.isOk() && commits) {
                oracle.writes.increment();
                oracle.acknowledged(write, viewer);
            } else if (commits) {
                primary.lost(write);
            } else if (answer.isOk()) {
                oracle.aborted(write);
            } else {
                oracle.unknown(write);
            }
            write.register.doneWriting();
        }
    }

    private void readOnly(String begin, boolean snapshots) {
        if (begin(begin, snapshots)) {
            boolean fine = true;
            for (int left = random.nextInt(2, 7); left > 0 && fine; left--) {
                fine = reads(random.nextInt(5) == 0 ? 2 : 1);
            }
            end(random.nextBoolean() ? "COMMIT" : "ROLLBACK");
        }
    }

    private void guarded(Family family) {
        Register register = oracle.register(family, 0);
        if (!register.tryWriting()) {
            return;
        }
        if (!begin("BEGIN", false)) {
            register.doneWriting();
            return;
        }
        Write write = register.begin(viewer.name, family.guarded().getLast());
        pending.add(write);
        String end = "COMMIT";
        for (int i = 0; i < family.guarded().size() && end.equals("COMMIT"); i++) {
            Style style = any(List.of(Style.values()));
            Look look = look(style, List.of(new Sql(family.guarded().get(i), 0, write.version)));
            Answer answer = look.link().run(style, look.statements());
            boolean guards =
                    i > 0 || answer.results().stream().mapToLong(Result::count).sum() == 1;
            end = isOk(answer, look) && guards ? end : "ROLLBACK";
        }
        end(end);
    }

    private boolean begin(String sql, boolean snapshots) {
        if (!control(sql)) {
            drop();
            return false;
        }
        transaction = sql;
        isSnapshot = snapshots;
        snapshotMoment = 0;
        return true;
    }

    private void end(String sql) {
        Map<Register, Write> last = new LinkedHashMap<>();
        pending.forEach(write -> last.put(write.register, write));
        boolean commits = sql.equals("COMMIT") && link != null;
        long now = System.nanoTime();
        if (commits) {
            last.values().forEach(write -> write.register.committing(write, now));
        }
        Look look = link == null ? null : look(Style.SIMPLE, List.of(Sql.plain(sql)));
        Answer answer = look == null ? null : look.link().run(Style.SIMPLE, look.statements());
        boolean ok = answer != null && look != null && isOk(answer, look);
        for (Write write : pending) {
            boolean counts = commits && last.get(write.register) == write;
            if (counts && ok) {
                oracle.writes.increment();
                oracle.acknowledged(write, viewer);
            } else if (counts && answer != null && answer.isLost()) {
                primary.lost(write);
            } else {
                oracle.aborted(write);
            }
        }
        if (!ok) {
            drop();
        }
        last.keySet().forEach(Register::doneWriting);
        pending.clear();
        snapshot.clear();
        transaction = NO_TRANSACTION;
        isSnapshot = false;
        oracle.transactions.increment();
    }

    private @Nullable Write ownPending(Register register) {
        for (int i = pending.size() - 1; i >= 0; i--) {
            if (pending.get(i).register == register) {
                return pending.get(i);
            }
        }
        return null;
    }

    private static Set<Register> registers(List<Write> writes) {
        return Set.copyOf(writes.stream().map(write -> write.register).toList());
    }

    // ---- the connection

    private boolean control(String sql) {
        Look look = look(any(List.of(Style.values())), List.of(Sql.plain(sql)));
        return isOk(look.link().run(look.style(), look.statements()), look);
    }

    private boolean isOk(Answer answer, Look look) {
        if (answer.isOk()) {
            return true;
        }
        oracle.error(answer.sqlState().isEmpty() ? "lost" : answer.sqlState());
        if (answer.error().startsWith(Answer.SILENCE) || answer.error().startsWith(Answer.GARBLED)) {
            oracle.blame(Violation.Kind.ERROR, look, null, 0, answer.error());
        }
        if (answer.isLost()) {
            drop();
        } else if (!EXPECTED.contains(answer.sqlState())) {
            oracle.blame(Violation.Kind.ERROR, look, null, 0, answer.sqlState() + " " + answer.error());
        }
        return false;
    }

    private void drop() {
        Link current = link;
        if (current != null) {
            current.close();
        }
        link = null;
    }

    private void connect() {
        long deadline = System.nanoTime() + PATIENCE;
        while (link == null) {
            try {
                link = target.open(number);
                viewer = oracle.viewer("session " + number + "." + ++connections, Guise.of(number));
            } catch (RuntimeException | AssertionError e) {
                oracle.error("connect");
                if (System.nanoTime() - deadline > 0) {
                    throw new AssertionError("no connection in time", e);
                }
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
            }
        }
    }

    private <T> T any(List<T> list) {
        return list.get(random.nextInt(list.size()));
    }
}
