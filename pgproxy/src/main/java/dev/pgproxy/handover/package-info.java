/** A restart without refusing a connection: listening sockets come from systemd, which hears when it serves, or from the process that runs. */
@NullMarked
package dev.pgproxy.handover;

import org.jspecify.annotations.NullMarked;
