/** When relations were written, and up to which moment a replica is known to have replayed: all in monotonic time. */
@NullMarked
package dev.pgproxy.routing.freshness;

import org.jspecify.annotations.NullMarked;
