package dev.pgproxy.routing.freshness;

/** Time in nanoseconds since the process began, never running backwards; moments can be compared. Thread-safe. */
public final class Monotonic {
    private static final long ORIGIN = System.nanoTime();

    private Monotonic() {}

    /** This moment; 0 or more. */
    public static long now() {
        return System.nanoTime() - ORIGIN;
    }

    /** The moment of a System.nanoTime(). */
    public static long of(long nanoTime) {
        return nanoTime - ORIGIN;
    }
}
