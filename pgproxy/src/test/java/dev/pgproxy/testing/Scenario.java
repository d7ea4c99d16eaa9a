package dev.pgproxy.testing;

/** A short conversation that must look the same directly and through the proxy. */
@FunctionalInterface
public interface Scenario {

    /** Talks as {@code c}; everything said and heard is in {@code t}. Must be repeatable in one database. */
    void run(RawClient c, Transcript t);
}
