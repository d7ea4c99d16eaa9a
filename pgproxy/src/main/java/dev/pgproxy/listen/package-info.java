/**
 * LISTEN for sessions that share servers: one listening connection per host and database hears for all of them. Knows
 * {@code pool} and {@code server}; {@code query} stands above.
 */
@org.jspecify.annotations.NullMarked
package dev.pgproxy.listen;
