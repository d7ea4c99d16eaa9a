package dev.pgproxy.http;

import java.time.Duration;

/**
 * How long, and for how many, the server waits. Immutable.
 *
 * @param request until a request has arrived whole, from its first byte or the connection on
 * @param answer until an answer is made
 * @param reading until a client has taken its answer
 * @param idle between two requests of a connection
 * @param connections at once; one more closes the one that has waited longest for a request
 * @param listeners of these at once, to whom the page's tables are told
 * @param every how long after one telling the next one begins
 */
record HttpLimits(
        Duration request,
        Duration answer,
        Duration reading,
        Duration idle,
        int connections,
        int listeners,
        Duration every) {
    /** Scrapers ask every 15 to 60 s and keep their connection. */
    static final HttpLimits USUAL = new HttpLimits(
            Duration.ofSeconds(10),
            Duration.ofSeconds(10),
            Duration.ofSeconds(30),
            Duration.ofSeconds(75),
            64,
            16,
            Duration.ofSeconds(1));
}
