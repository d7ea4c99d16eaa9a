package dev.pgproxy.cache.redis;

/** What the written state of some tables is called by: as long as it stays the same, none of them was written. Immutable. */
public record Epoch(long high, long low) {}
