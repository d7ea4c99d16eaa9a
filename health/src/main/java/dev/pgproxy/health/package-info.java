/** What the hosts are: role, WAL positions, lag, load. Publishes snapshots; readers never lock. */
@NullMarked
package dev.pgproxy.health;

import org.jspecify.annotations.NullMarked;
