/** What a person should be told of at once, and who tells it. */
@NullMarked
package dev.pgproxy.alert;

import org.jspecify.annotations.NullMarked;
