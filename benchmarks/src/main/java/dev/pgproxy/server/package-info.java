/** What benchmarks need from inside the program's package of this name. */
@NullMarked
package dev.pgproxy.server;

import org.jspecify.annotations.NullMarked;
