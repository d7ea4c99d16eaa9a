package dev.pgproxy.cache;

/**
 * One answer: its messages as they go to a client, the moment as of which it is true, and when it is to be renewed and
 * expires, in nanoseconds of one monotonic clock. Equal only to itself. Immutable, if nobody writes to its bytes.
 *
 * @param <D> what decides whether it is still true, such as the tables it was read from. It is shared between the results of
 *     one statement, so it is not weighed: it must not lead to anything that should be gone before the result is
 */
public final class CachedResult<D> {
    /**
     * Bytes of heap that an entry takes besides the bytes of its answer: key 32, this 48, header of the array 16, node of the
     * hash map 32 and its slot 11, node of the eviction policy 48, frequency sketch 16. With compact object headers it is less.
     */
    static final int OVERHEAD = 208;

    private final byte[] bytes;
    private final long asOf;
    private final long renewAt;
    private final long expiresAt;
    private final D dependency;
    private boolean askedAgain;

    /**
     * An answer.
     *
     * @param bytes not copied: nobody may write to it any more
     * @param asOf noted before the query was sent
     * @param renewAt from this moment on somebody should ask anew
     * @param expiresAt the first moment at which it is not served any more
     */
    public CachedResult(byte[] bytes, long asOf, long renewAt, long expiresAt, D dependency) {
        this.bytes = bytes;
        this.asOf = asOf;
        this.renewAt = renewAt;
        this.expiresAt = expiresAt;
        this.dependency = dependency;
    }

    /** The messages, not a copy: not to be written to. */
    public byte[] bytes() {
        return bytes;
    }

    /** Every change acknowledged before this moment is in it. */
    public long asOf() {
        return asOf;
    }

    /** From this moment on somebody should ask anew, for which nobody has to wait. */
    public long renewAt() {
        return renewAt;
    }

    /** The first moment at which it is not served any more. */
    public long expiresAt() {
        return expiresAt;
    }

    /** What decides whether it is still true. */
    public D dependency() {
        return dependency;
    }

    /** Whether this is called for the first time, or by several threads at once. */
    public boolean isAskedAgain() {
        boolean first = !askedAgain;
        askedAgain = true;
        return first;
    }

    /** Bytes of heap that it takes in a {@link ResultCache}, its key and everything else included. */
    public int weight() {
        return OVERHEAD + (bytes.length + 7 & -8);
    }
}
