/** PgBouncer's configuration files, and what they mean here. Knows nothing of pgproxy's own settings but their names. */
@NullMarked
package dev.pgproxy.pgbouncer;

import org.jspecify.annotations.NullMarked;
