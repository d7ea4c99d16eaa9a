/** Messages a server sends: the few that pgproxy reads, and the writer for what it says to a client. */
@NullMarked
package dev.pgproxy.protocol.backend;

import org.jspecify.annotations.NullMarked;
