package dev.pgproxy.cache.redis;

/** Why {@link RedisTier} gave no answer, or took none. */
public enum TierMiss {
    /** Redis does not have it. */
    ABSENT,
    /** It has expired, though Redis still has it. */
    EXPIRED,
    /** It is not from somebody who knows the secret, is of another version, or was changed. */
    UNVERIFIED,
    /** Redis has not answered in time. */
    TIMEOUT,
    /** So many questions wait already that no other is sent. */
    BUSY,
    /** Redis cannot be reached, or has failed so often that it is left alone for a while. */
    DOWN,
    /** Redis has answered with an error. */
    FAILED,
    /** The result is too large to be shared. */
    TOO_LARGE
}
