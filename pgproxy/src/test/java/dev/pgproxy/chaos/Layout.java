package dev.pgproxy.chaos;

/**
 * What an {@link Estate} is to be. Immutable.
 *
 * @param synchronous whether each commit waits for one of the other two hosts; without, a primary takes some with it
 * @param cache whether reads are answered from the result cache
 * @param smallWal whether the WAL of the first host is on a file system that can be full, which needs root
 * @param instances of pgproxy over one Redis; 0 = one, without Redis. Several do not promote: they follow
 */
record Layout(boolean synchronous, boolean cache, boolean smallWal, int instances) {
    static final Layout USUAL = new Layout(true, false, false, 0);

    Layout withCache() {
        return new Layout(synchronous, true, smallWal, instances);
    }

    Layout withRedis(int over) {
        return new Layout(synchronous, cache, smallWal, over);
    }

    Layout asynchronous() {
        return new Layout(false, cache, smallWal, instances);
    }

    boolean hasRedis() {
        return instances > 0;
    }

    int proxies() {
        return Math.max(1, instances);
    }

    boolean promotes() {
        return instances <= 1;
    }
}
