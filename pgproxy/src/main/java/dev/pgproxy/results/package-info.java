/**
 * The results of reads that are kept for all clients, and what is counted of them. Knows tables and moments, nothing of
 * messages or sockets. May call the modules cache and routing.
 */
@NullMarked
package dev.pgproxy.results;

import org.jspecify.annotations.NullMarked;
