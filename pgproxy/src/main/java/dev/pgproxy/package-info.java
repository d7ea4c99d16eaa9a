/** The program: its command line, and the place where everything is put together. */
@NullMarked
package dev.pgproxy;

import org.jspecify.annotations.NullMarked;
