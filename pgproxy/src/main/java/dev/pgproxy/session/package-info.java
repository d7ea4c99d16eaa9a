/** What a client believes it has: parameters, statements, channels, pins. Pure state, no sockets; confined to the client's event loop unless said otherwise. */
@NullMarked
package dev.pgproxy.session;

import org.jspecify.annotations.NullMarked;
