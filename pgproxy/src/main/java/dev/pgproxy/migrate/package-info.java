/**
 * Schema changes: versioned SQL files that Flyway runs on a primary, what takes each of them back, and the telling of every
 * pgproxy that listens. Part of the command {@code pgproxy migrate} alone: nothing here runs in a proxy.
 */
@NullMarked
package dev.pgproxy.migrate;

import org.jspecify.annotations.NullMarked;
