package dev.pgproxy.listen;

import dev.pgproxy.protocol.backend.ErrorFields;

/**
 * A session that a {@link SharedListener} hears for. Implemented by {@code query.Notifications}. Called on the listener's
 * loop, which may be another than the session's: implementations pass on to their own.
 */
public interface Subscriber {
    /** The process id that its client knows itself by. */
    int processId();

    /** Takes a notification; false if too many wait already, then nothing more comes but {@link #lost}. */
    boolean offer(Notification notification);

    /**
     * What was asked by {@link SharedListener#change} holds, and everything that was committed before it was asked has
     * been offered.
     *
     * @param point the number by which this moment is found in what any other listening connection hears
     */
    void confirmed(long point);

    /** Nothing more will be heard, and something may have been missed. */
    void lost(ErrorFields error);
}
