/** Cancel requests: our keys, and the short connections that carry them on. */
@NullMarked
package dev.pgproxy.cancel;

import org.jspecify.annotations.NullMarked;
