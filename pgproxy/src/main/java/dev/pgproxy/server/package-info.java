/** Connections to PostgreSQL: connecting, logging in, and the queue that says to whom each reply belongs. */
@NullMarked
package dev.pgproxy.server;

import org.jspecify.annotations.NullMarked;
