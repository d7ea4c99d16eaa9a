/** What else makes a statement slow, one rule each. Pure logic. */
@NullMarked
package dev.pgproxy.advice.rule;

import org.jspecify.annotations.NullMarked;
