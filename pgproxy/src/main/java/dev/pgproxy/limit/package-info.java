/** How many transactions may start in a window of time. */
@NullMarked
package dev.pgproxy.limit;

import org.jspecify.annotations.NullMarked;
