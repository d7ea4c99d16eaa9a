/** Which server serves whom: idle servers, limits, the queue of waiting clients. */
@NullMarked
package dev.pgproxy.pool;

import org.jspecify.annotations.NullMarked;
