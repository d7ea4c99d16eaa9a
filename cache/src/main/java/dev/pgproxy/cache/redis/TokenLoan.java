package dev.pgproxy.cache.redis;

/**
 * What Redis has answered to a {@link TokenRequest}. Immutable.
 *
 * @param tokens lent, as many as were wanted or as there are
 * @param youngMicros for so many microseconds Redis does not remember a whole window: more may have been used than it knows
 * @param waitMicros microseconds until as many as were needed can be had; 0 if they could be had now
 */
public record TokenLoan(int tokens, long youngMicros, long waitMicros) {}
