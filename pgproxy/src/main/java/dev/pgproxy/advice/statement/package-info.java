/** What a statement looks for in which table, read from its text without literals. Pure logic. */
@NullMarked
package dev.pgproxy.advice.statement;

import org.jspecify.annotations.NullMarked;
