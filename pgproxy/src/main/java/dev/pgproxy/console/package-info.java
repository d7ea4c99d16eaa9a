/** The admin console: databases pgproxy and pgbouncer, with PgBouncer's commands and columns. */
@NullMarked
package dev.pgproxy.console;

import org.jspecify.annotations.NullMarked;
