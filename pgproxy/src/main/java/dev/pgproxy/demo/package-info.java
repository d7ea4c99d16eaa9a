/**
 * A real PostgreSQL cluster without an installation: the servers of {@code pgproxy demo} and of the integration tests. Calls the
 * JDK, pgjdbc and the unpackers only; knows nothing of the proxy, which it starts through {@link dev.pgproxy.demo.ProxyStarter}.
 */
@NullMarked
package dev.pgproxy.demo;

import org.jspecify.annotations.NullMarked;
