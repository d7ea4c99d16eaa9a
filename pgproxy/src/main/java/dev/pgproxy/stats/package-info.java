/** Counters behind SHOW STATS and the log's totals. */
@NullMarked
package dev.pgproxy.stats;

import org.jspecify.annotations.NullMarked;
