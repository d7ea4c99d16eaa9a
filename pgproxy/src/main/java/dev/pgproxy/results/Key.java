package dev.pgproxy.results;

/** A key as {@link dev.pgproxy.cache.KeyHash} makes it. Immutable. */
record Key(long high, long low) {}
