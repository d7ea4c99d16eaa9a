/** Asks hosts over JDBC and HTTP, on threads that may wait. */
@NullMarked
package dev.pgproxy.health.probe;

import org.jspecify.annotations.NullMarked;
