/** What hosts and networks can do to a proxy, and a ledger of what it has told its clients. */
@NullMarked
package dev.pgproxy.chaos;

import org.jspecify.annotations.NullMarked;
