package dev.pgproxy.cache.redis;

/**
 * What an {@link InstanceLink} tells its process. All calls come on the link's one thread, in the order in which things
 * happened, and must return soon; what they say holds for the process when they return, because the others go on then.
 * A name may stand for several databases, as {@link InstanceLink#around} has them.
 * Databases may come up that the process does not serve (yet): what is in doubt there must be remembered, or {@link
 * InstanceLink#inDoubt} asked when it is opened.
 */
public interface LinkListener {
    /** Another instance may be writing these: no hit, no store and no replica until {@link #settled} with the same. */
    void doubted(String database, TableSet tables);

    /** That has ended. If anything may have been written, it counts as written now. */
    void settled(String database, TableSet tables, Ending ending);

    /** Another instance has learnt, without a doubt before it, that these were written: now at the latest. */
    void written(String database, TableSet tables, Ending ending);

    /** Everything in every database counts as written now: messages may have been missed. */
    void flushed();

    /**
     * An instance has ended and left a doubt, for which {@link #doubted} was called before. Its backend may still commit.
     * When that backend is seen gone from the primary, {@code resolved} is to be called, on any thread; {@link #settled}
     * follows. All instances are asked, one that answers is enough.
     *
     * @param backendPid 0 if it is not known: then every backend of that instance must be gone
     * @param backendStart microseconds since 1970; 0 if it is not known
     */
    void orphaned(String database, TableSet tables, int backendPid, long backendStart, Runnable resolved);

    /**
     * An instance has vanished without a goodbye: it has ended, or cannot reach Redis and may write. Nobody serves hits
     * until it is back, {@code forgetAfter} has passed, or {@code gone} was called, on any thread, by somebody who knows
     * that it cannot write any more.
     */
    void lost(String instance, Runnable gone);
}
