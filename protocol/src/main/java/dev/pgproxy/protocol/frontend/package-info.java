/** Messages a client sends: reusable views over received bytes, and the writer for what pgproxy says to a server. */
@NullMarked
package dev.pgproxy.protocol.frontend;

import org.jspecify.annotations.NullMarked;
