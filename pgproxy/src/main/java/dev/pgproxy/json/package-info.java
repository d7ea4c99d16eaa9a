/** JSON while it is written. Source: RFC 8259. */
@NullMarked
package dev.pgproxy.json;

import org.jspecify.annotations.NullMarked;
