/**
 * Queries of the configuration that are asked before anybody needs their results. A client of the proxy like others, within
 * the process. May call client, pool, route and config.
 */
@NullMarked
package dev.pgproxy.warm;

import org.jspecify.annotations.NullMarked;
