/**
 * The text that Query and Parse carry: its tokens, the statements in it, and what each of them means for a pooling
 * proxy. A scanner, not a parser: it is exact about PostgreSQL's lexical rules (src/backend/parser/scan.l) and about
 * the statements that change a session, and errs to the careful side about everything else. Bytes in, facts out; no
 * sockets, no catalog, no threads.
 */
@NullMarked
package dev.pgproxy.protocol.sql;

import org.jspecify.annotations.NullMarked;
