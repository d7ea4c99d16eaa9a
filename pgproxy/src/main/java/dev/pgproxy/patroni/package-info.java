/** Who belongs to a cluster, as Patroni's REST API tells. Knows {@code config} alone; nothing here runs on an event loop. */
@org.jspecify.annotations.NullMarked
package dev.pgproxy.patroni;
