/**
 * Tier 1 of the result cache: answers kept in this process, found by a keyed hash of all that they depend on. Knows bytes,
 * moments and a check that its owner gives; nothing of SQL, tables or sockets.
 */
@NullMarked
package dev.pgproxy.cache;

import org.jspecify.annotations.NullMarked;
