package dev.pgproxy.consistency;

/** What one session has written and read: the state of {@link Mode#SESSION}. Confined to its session. */
final class Viewer {
    final String name;
    final Guise guise;
    private final long[] seen;

    /** The latest sending of a write that this session made or saw. */
    private long floor;

    Viewer(String name, Guise guise, int registers, long now) {
        this.name = name;
        this.guise = guise;
        this.seen = new long[registers];
        this.floor = now;
    }

    /** What was written past the proxy obliges nobody before its bound. */
    void sees(Write write, long version) {
        if (write.outside) {
            return;
        }
        seen[write.register.index] = Math.max(seen[write.register.index], version);
        if (write.sent != Long.MAX_VALUE && write.sent - floor > 0) {
            floor = write.sent;
        }
    }

    long seen(Register register) {
        return seen[register.index];
    }

    long floor() {
        return floor;
    }
}
