/** Connections of clients: one class per phase of their life. */
@NullMarked
package dev.pgproxy.client;

import org.jspecify.annotations.NullMarked;
