/** Sockets: transports, listeners, TLS contexts. Knows nothing of PostgreSQL's messages. */
@NullMarked
package dev.pgproxy.net;

import org.jspecify.annotations.NullMarked;
