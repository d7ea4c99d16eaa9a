package dev.pgproxy.cache.feed;

import java.util.Set;

/**
 * Is told what changes in a database, and from when to when it is told all of it. All calls come from one thread, one after
 * the other, and none after {@link ChangeFeed#close} has returned. They must be quick: while one runs, changes wait.
 *
 * <p>The order: {@link #covering}, then any number of {@link #written}, {@link #notified} and {@link #everythingWritten}, then {@link #lost},
 * and so on. Before the first {@code covering} there is at most one {@code lost}, for an attempt that failed.
 *
 * <p>From a feed of {@link FeedLevel#NOTIFY} only what is said comes, all of it between {@code covering} and {@code lost}. The
 * following is of {@link FeedLevel#LOGICAL}.
 *
 * <p>No commit that becomes visible between {@code covering} and {@code lost} is missed. The slot decodes every commit
 * after its consistent point, in the order of WAL, into one TCP connection that is read without skipping anything; whatever
 * cannot be understood there counts as everything; and any failure to read, to ask the server or to report ends coverage.
 * Commits before the consistent point are not reported, so what was read earlier is not to be believed when
 * {@code covering} comes. A transaction can be in WAL, and in the stream, before others can see it (it waits for a
 * synchronous standby, or was overtaken for microseconds): a reader between would find the old rows and believe them to be
 * new. So a commit is reported when the server's snapshot says that its transaction has ended; and when a transaction that
 * was open at {@code covering} ends without the stream having told of it, everything is reported, within a second, as it
 * may have been logged before the consistent point.
 *
 * <p>What is reported is late by decoding, a message and a question to the server: see {@link FeedStatus#delay}. A commit
 * with {@code synchronous_commit = off} is visible before it is decoded, by up to three times {@code wal_writer_delay}
 * (0.6 s by default).
 *
 * <p>Never reported, so these need another level: unlogged tables; materialized views that are refreshed without
 * CONCURRENTLY; foreign tables; sequences, large objects and system catalogs; definitions (ALTER TABLE ... TYPE ... USING,
 * DROP, ATTACH and DETACH PARTITION, grants, policies). A write to a partitioned or inherited table is reported with the
 * names of the children that hold the rows; a table that was renamed in the transaction, with the name at that point.
 */
public interface FeedListener {
    /** From now on everything is reported; nothing that was read before is to be believed. */
    void covering();

    /** A transaction that changed these tables has committed and can be seen. */
    void written(Set<TableName> tables);

    /**
     * Somebody has said by NOTIFY that this was written, and committed. What a trigger says comes once the commit can be seen: the
     * server sends nothing before, and in the order of commits.
     *
     * @return whether it names what is known; what does not counts as everything
     */
    boolean notified(Invalidation what);

    /** Something has committed that may have changed any table of the database. */
    void everythingWritten();

    /**
     * From now on nothing is reported, and what was read before is not to be believed either.
     *
     * @param why for people
     * @param retries whether it is tried again at once, with pauses that grow from 1 to 30 s; if not, only every
     *     {@link FeedSettings#recheck}, as somebody has to change something first
     */
    void lost(String why, boolean retries);
}
