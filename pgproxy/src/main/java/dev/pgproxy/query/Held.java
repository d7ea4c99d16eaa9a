package dev.pgproxy.query;

/** Where an exchange stands that could not be sent at once. */
enum Held {
    NO,
    /** A text is being read, another client asks the same, or it is being learnt how much of a limit is left. */
    FOR_READING,
    /** The client does not take what it was sent. */
    FOR_CLIENT,
    FOR_LEASE,
    FOR_ALIGNMENT,
    /** Other instances are told what it may write. */
    FOR_OTHERS,
    FOR_REPLIES
}
