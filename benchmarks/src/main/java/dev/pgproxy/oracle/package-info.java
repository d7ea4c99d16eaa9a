/** PostgreSQL's own grammar (libpg_query as WebAssembly) as the judge of what pgproxy says of a text. */
@NullMarked
package dev.pgproxy.oracle;

import org.jspecify.annotations.NullMarked;
