package dev.pgproxy.cache.redis;

/** What the written state of some tables is called by: as long as it stays the same, none of them was written. Immutable. */
public record Epoch(long high, long low) {
    /**
     * What the same state is called by where writes past all instances are told, too: what was kept without that is another,
     * because it may lack some.
     */
    public Epoch covered() {
        return new Epoch(high, ~low);
    }
}
