package dev.pgproxy.routing.sql;

import dev.pgproxy.protocol.sql.StatementFlags;
import dev.pgproxy.protocol.sql.StatementKind;
import java.util.Set;

/**
 * What a text of one or more statements names and does, whatever its literals are: one for each fingerprint. Names are
 * as written; the {@link dev.pgproxy.routing.catalog.Catalog} says what they mean. Immutable.
 *
 * @param kind of the only statement, else MULTIPLE or EMPTY; EXPLAIN, COPY_TO, PREPARE and DECLARE count what is inside
 *     them in all other components
 * @param flags the union of the statements' {@link StatementFlags}
 * @param understood whether JSqlParser has read all of it, and agrees with the scanner about what it is and where its
 *     relations stand (COPY t, TRUNCATE and CALL are read by the scanner alone). False for all but queries, data changes,
 *     COPY, TRUNCATE, CALL and what contains them, for COPY to a file or program of the host, and for what is too long,
 *     too deep or too slow to be read. Without it the mentions and what is written are still those of all statements,
 *     or there are none; nothing else but the kind and the flags is known
 * @param mentions names that stand where a relation may stand, by the scanner: never too few. Names of columns, aliases
 *     and common table expressions may be among them; what the catalog does not know of them means nothing
 * @param relations the relations that JSqlParser found: each must be known. Common table expressions, where their names
 *     mean them, and what SELECT INTO makes are not among them; targets of data changes are
 * @param written the relations that INSERT, UPDATE, DELETE, MERGE, COPY … FROM or TRUNCATE name as their target
 * @param functions names that stand before a parenthesis, those of PostgreSQL's constructs not among them,
 *     nor current_setting of a parameter of the users' own: a word is enough
 * @param operators operators as written, with the schema of OPERATOR(schema.+), and those that LIKE, IN, BETWEEN and their like stand for
 * @param words every identifier that is no reserved word, each part of a qualified name by itself: what a type or a
 *     function in attribute notation can hide behind; CURRENT_DATE and its like, and
 *     SYSTEM_USER, are among them; so is {@code timetz} for TIME WITH TIME ZONE
 */
public record StatementShape(
        StatementKind kind,
        int flags,
        boolean understood,
        Set<Name> mentions,
        Set<Name> relations,
        Set<Name> written,
        Set<Name> functions,
        Set<Name> operators,
        Set<String> words) {
    public StatementShape {
        mentions = Set.copyOf(mentions);
        relations = Set.copyOf(relations);
        written = Set.copyOf(written);
        functions = Set.copyOf(functions);
        operators = Set.copyOf(operators);
        words = Set.copyOf(words);
    }

    /** Whether one of the given {@link StatementFlags} is set. */
    public boolean has(int flag) {
        return (flags & flag) != 0;
    }
}
