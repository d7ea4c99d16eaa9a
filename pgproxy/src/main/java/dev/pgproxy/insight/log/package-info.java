/**
 * The query log: what statements were answered, to a file or to a table. Event loops leave entries in rings of their own;
 * threads of this package alone wait for disks and hosts. Literals and parameters never come here.
 */
@NullMarked
package dev.pgproxy.insight.log;

import org.jspecify.annotations.NullMarked;
