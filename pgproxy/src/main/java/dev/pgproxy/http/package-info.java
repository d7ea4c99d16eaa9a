/**
 * Metrics and health over HTTP, for Prometheus, load balancers and people. On a thread of its own: nothing here runs on
 * the clients' event loops, but for what the console asks there.
 */
@NullMarked
package dev.pgproxy.http;

import org.jspecify.annotations.NullMarked;
