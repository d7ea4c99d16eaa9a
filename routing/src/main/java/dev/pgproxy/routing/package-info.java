/**
 * Which host answers a statement, and why: pure functions over facts, a catalog snapshot and a topology snapshot. No
 * sockets, no threads, no configuration.
 */
@NullMarked
package dev.pgproxy.routing;

import org.jspecify.annotations.NullMarked;
