/** What a text names and does: JSqlParser's tree and PostgreSQL's own lexical rules, each checking the other. */
@NullMarked
package dev.pgproxy.routing.sql;

import org.jspecify.annotations.NullMarked;
