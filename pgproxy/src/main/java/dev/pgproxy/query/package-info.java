/** The path of one exchange from a client to a server and of its replies back. */
@NullMarked
package dev.pgproxy.query;

import org.jspecify.annotations.NullMarked;
