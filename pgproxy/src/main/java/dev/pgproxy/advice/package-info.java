/** What would make statements cheaper: looks at figures, texts without literals and statistics, off the event loops. */
@NullMarked
package dev.pgproxy.advice;

import org.jspecify.annotations.NullMarked;
