/** Finding message boundaries in a stream of bytes. Everything here is confined to one event loop and allocates nothing per message. */
@NullMarked
package dev.pgproxy.protocol.frame;

import org.jspecify.annotations.NullMarked;
