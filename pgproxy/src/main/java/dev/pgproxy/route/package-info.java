/**
 * What is known of each database for routing: its definitions, when its relations were written, its replicas. May call
 * the modules routing and health, and pools.
 */
@NullMarked
package dev.pgproxy.route;

import org.jspecify.annotations.NullMarked;
