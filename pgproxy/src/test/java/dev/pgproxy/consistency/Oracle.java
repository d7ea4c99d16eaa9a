package dev.pgproxy.consistency;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/** Knows every write and judges every read. Thread-safe. */
final class Oracle {
    private static final int KEPT_VIOLATIONS = 20;

    private final Mode mode;
    private final long maxAgeNanos;
    private final Workload workload;
    private final long start = System.nanoTime();
    private final List<Register> registers = new ArrayList<>();
    private final List<Family> families = new ArrayList<>();
    private final Map<Family, Register[]> byFamily = new EnumMap<>(Family.class);
    private final Queue<Violation> violations = new ConcurrentLinkedQueue<>();
    private final AtomicLong violationCount = new AtomicLong();
    private final AtomicLong firstViolationAfter = new AtomicLong(-1);

    final LongAdder reads = new LongAdder();
    final LongAdder versionsRead = new LongAdder();
    final LongAdder writes = new LongAdder();
    /** Prepared transactions that any session may end. */
    final Queue<Prepared> prepared = new ConcurrentLinkedQueue<>();

    final LongAdder transactions = new LongAdder();
    final Map<String, LongAdder> errors = new ConcurrentHashMap<>();

    /** @param maxAgeNanos of what a read in {@link Mode#EVENTUAL} may return */
    Oracle(Mode mode, long maxAgeNanos, Workload workload) {
        this.mode = mode;
        this.workload = workload;
        this.maxAgeNanos = maxAgeNanos;
        for (Family family : Family.values()) {
            if (!workload.families().contains(family)) {
                continue;
            }
            families.add(family);
            Register[] all = new Register[family.keys()];
            for (int key = 0; key < all.length; key++) {
                all[key] = new Register(family, key, registers.size());
                registers.add(all[key]);
            }
            byFamily.put(family, all);
        }
    }

    /** Whether it has seen at least so many of each. */
    boolean hasJudged(long leastReads, long leastWrites) {
        return reads.sum() >= leastReads && writes.sum() >= leastWrites;
    }

    List<Register> registers() {
        return registers;
    }

    Workload workload() {
        return workload;
    }

    /** Those of the workload. */
    List<Family> families() {
        return families;
    }

    boolean has(Family family) {
        return byFamily.containsKey(family);
    }

    Register register(Family family, int key) {
        return byFamily.get(family)[key];
    }

    Viewer viewer(String name, Guise guise) {
        return new Viewer(name, guise, registers.size(), start);
    }

    /**
     * What a read must at least return.
     *
     * @param moment when its snapshot was asked for at the earliest, or 0 for now
     * @param strict it is held to {@link Mode#TABLE}
     */
    long floor(Register register, Viewer viewer, long moment, boolean strict) {
        long slack = workload.slack().toNanos();
        if (slack > 0) {
            return register.acknowledgedBefore((moment == 0 ? System.nanoTime() : moment) - slack);
        }
        boolean isTable = strict || mode == Mode.TABLE;
        long acknowledged = register.acknowledged();
        if (isTable && moment != 0) {
            acknowledged = register.acknowledgedBefore(moment);
        } else if (!isTable && mode == Mode.SESSION) {
            acknowledged = register.acknowledgedBefore(viewer.floor());
        } else if (!isTable) {
            acknowledged = register.acknowledgedBefore((moment == 0 ? System.nanoTime() : moment) - maxAgeNanos);
        }
        if (isTable && workload.outside() > 0) {
            long told = (moment == 0 ? System.nanoTime() : moment)
                    - workload.outsideBound().toNanos();
            acknowledged = Math.max(acknowledged, register.outsideBefore(told));
        }
        return mode == Mode.EVENTUAL ? acknowledged : Math.max(acknowledged, viewer.seen(register));
    }

    /** Judges one version read; false is a violation. */
    boolean judge(Look look, Register register, long floor, long version) {
        versionsRead.increment();
        register.noteMissed(version, look.sent());
        if (version < floor) {
            return blame(Violation.Kind.STALE, look, register, floor, version);
        }
        if (version == 0) {
            return true; // as it was created
        }
        Write write = register.write(version);
        if (write == null) {
            boolean forgotten = version > 0 && version <= register.issued();
            Violation.Kind kind = forgotten ? Violation.Kind.STALE : Violation.Kind.NEVER_WRITTEN;
            return blame(kind, look, register, floor, version);
        }
        Write.State state = register.state(write);
        if (state == Write.State.ABORTED) {
            return blame(Violation.Kind.ROLLED_BACK, look, register, floor, version);
        }
        if (state == Write.State.PENDING) {
            return write.session.equals(look.viewer().name)
                    || blame(Violation.Kind.UNCOMMITTED, look, register, floor, version);
        }
        register.seen(write);
        look.viewer().sees(write, version);
        return true;
    }

    void acknowledged(Write write, Viewer viewer) {
        write.register.acknowledged(write);
        viewer.sees(write, write.version);
    }

    /** Somebody else's commit, or one that was seen on the primary: it may be read through the proxy as well from now on. */
    void acknowledged(Write write) {
        write.register.acknowledged(write);
    }

    void unknown(Write write) {
        error("unknown outcome");
        write.register.unknown(write);
    }

    void aborted(Write write) {
        if (!write.register.aborted(write)) {
            add(new Violation(Violation.Kind.ROLLED_BACK, "read by somebody, and then rolled back: " + write));
        }
    }

    void error(String sqlState) {
        errors.computeIfAbsent(sqlState, any -> new LongAdder()).increment();
    }

    boolean blame(Violation.Kind kind, Look look, @Nullable Register register, long floor, Object got) {
        StringBuilder words = new StringBuilder(look.toString(start));
        if (register != null) {
            words.append("\n  ").append(register).append(": at least ").append(floor);
            words.append(", got ").append(got);
            for (long version : got instanceof Long read ? new long[] {floor, read} : new long[] {floor}) {
                Write write = register.write(version);
                if (write != null) {
                    words.append("\n  ").append(write).append("; sent at ").append(ms(write.sent));
                    words.append(", acknowledged at ").append(ms(write.acknowledged));
                }
            }
        } else {
            words.append("\n  got ").append(got);
        }
        add(new Violation(kind, words.toString()));
        return false;
    }

    private void add(Violation violation) {
        firstViolationAfter.compareAndSet(-1, reads.sum());
        if (violationCount.getAndIncrement() < KEPT_VIOLATIONS) {
            violations.add(violation);
        }
    }

    private String ms(long moment) {
        return moment == Long.MAX_VALUE ? "never" : Look.ms(moment, start);
    }

    /** Of the writes past the proxy. */
    Delays delays() {
        return Delays.of(registers.stream()
                .flatMapToLong(register -> Arrays.stream(register.missed()))
                .toArray());
    }

    List<Violation> violations() {
        return List.copyOf(violations);
    }

    long violationCount() {
        return violationCount.get();
    }

    /** How many reads had been made, or -1. */
    long firstViolationAfter() {
        return firstViolationAfter.get();
    }
}
