package dev.pgproxy.cache.redis;

import java.util.List;

/**
 * An {@link InstanceLink} as people see it. Immutable.
 *
 * @param instance this one's id
 * @param connected whether it can reach Redis and is one of the instances
 * @param serving whether hits may be served now
 * @param standing what the others know of this one's writes
 * @param problem why it is not connected; empty if it is
 * @param generation of the epochs; empty while not connected
 * @param instances the others that are there
 * @param lost others that vanished without a goodbye, because of whom nobody serves hits
 * @param ownDoubts writes of this instance whose outcome is not known
 * @param foreignDoubts writes of others
 * @param delayMicros how long the last sign of life took through Redis and back
 * @param counters since the start
 */
public record LinkStatus(
        String instance,
        boolean connected,
        boolean serving,
        Standing standing,
        String problem,
        String generation,
        List<String> instances,
        List<String> lost,
        int ownDoubts,
        int foreignDoubts,
        long delayMicros,
        Counters counters) {

    /**
     * What has happened since the start. Immutable.
     *
     * @param joins how often it became one of the instances
     * @param losses how often it lost contact
     * @param flushes how often everything had to count as written
     * @param messages heard
     * @param confirmedByAll doubts confirmed by all instances
     * @param confirmedByTime doubts that somebody did not confirm before his lease had surely ended
     * @param confirmedApart doubts that nobody heard of, sent after all other leases had ended
     * @param confirmMicros time that confirmed doubts waited, all together
     */
    public record Counters(
            long joins,
            long losses,
            long flushes,
            long messages,
            long confirmedByAll,
            long confirmedByTime,
            long confirmedApart,
            long confirmMicros) {}
}
