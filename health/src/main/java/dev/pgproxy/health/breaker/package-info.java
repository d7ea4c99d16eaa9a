/** Whether a host is worth a login: what became of the last ones, whatever the host says when it is asked how it is. */
@NullMarked
package dev.pgproxy.health.breaker;

import org.jspecify.annotations.NullMarked;
