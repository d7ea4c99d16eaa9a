/** Another primary on purpose: which replica is promoted when there is none, and how the others come to follow it. */
@NullMarked
package dev.pgproxy.health.failover;

import org.jspecify.annotations.NullMarked;
