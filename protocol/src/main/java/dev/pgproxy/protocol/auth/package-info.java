/**
 * How a password is proved, on both sides and without sockets: SCRAM-SHA-256 (RFC 5802, RFC 7677) as PostgreSQL speaks
 * it, the older MD5 answer, and the channel binding of RFC 5929. Calls nothing but the JDK.
 */
@NullMarked
package dev.pgproxy.protocol.auth;

import org.jspecify.annotations.NullMarked;
