/** PostgreSQL's wire protocol, version 3: bytes and text only. No sockets, no threads, no configuration. */
@NullMarked
package dev.pgproxy.protocol;

import org.jspecify.annotations.NullMarked;
