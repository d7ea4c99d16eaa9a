/**
 * What others write past pgproxy becomes known here: a temporary logical replication slot per database tells which tables
 * each committed transaction has changed, and a listening connection what triggers and people say. Calls nothing of
 * pgproxy; its owner gives connections and takes reports.
 */
@NullMarked
package dev.pgproxy.cache.feed;

import org.jspecify.annotations.NullMarked;
