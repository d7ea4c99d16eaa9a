/** The rules of the configuration about statements: which of them fits one, and how often that was so. */
@NullMarked
package dev.pgproxy.rules;

import org.jspecify.annotations.NullMarked;
