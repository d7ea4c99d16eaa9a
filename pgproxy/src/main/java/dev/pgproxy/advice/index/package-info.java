/** Which indexes are missing, and which are not needed: by PostgreSQL's own cost formulas, roughly. Pure logic. */
@NullMarked
package dev.pgproxy.advice.index;

import org.jspecify.annotations.NullMarked;
