/**
 * One JMH class per operation of the hot path, run by {@code benchmarks/jmh} with the allocation profiler. Each states
 * what one operation is.
 */
@NullMarked
package dev.pgproxy.benchmarks;

import org.jspecify.annotations.NullMarked;
