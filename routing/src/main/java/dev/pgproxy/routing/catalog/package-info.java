/** What a database holds, and what follows from it: which relations a statement reads and what it can touch. */
@NullMarked
package dev.pgproxy.routing.catalog;

import org.jspecify.annotations.NullMarked;
