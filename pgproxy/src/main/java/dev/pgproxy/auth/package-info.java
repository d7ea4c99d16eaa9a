/**
 * Who may connect, and what is known to check it by: users and their secrets, PgBouncer's user list, and the rules of
 * {@code pg_hba.conf}. Pure: no sockets, no files; texts in, immutable values out. Calls {@code protocol.auth} only.
 */
@NullMarked
package dev.pgproxy.auth;

import org.jspecify.annotations.NullMarked;
