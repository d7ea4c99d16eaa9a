/** What a database says of itself: tables, columns, indexes and their use, read with control_user. Blocks. */
@NullMarked
package dev.pgproxy.advice.facts;

import org.jspecify.annotations.NullMarked;
