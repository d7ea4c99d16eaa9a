/** Reads what a database holds from its system catalogs. All of it blocks: never on event loops. */
@NullMarked
package dev.pgproxy.health.catalog;

import org.jspecify.annotations.NullMarked;
