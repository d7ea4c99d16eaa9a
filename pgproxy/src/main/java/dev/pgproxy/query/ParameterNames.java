package dev.pgproxy.query;

import dev.pgproxy.pool.Catalog;
import dev.pgproxy.protocol.sql.SqlText;
import java.util.Collection;
import java.util.HashSet;
import java.util.Locale;
import java.util.Set;
import java.util.StringJoiner;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Finds the parameters that code sets which only PostgreSQL runs, and the SQL that asks for their values: custom ones,
 * which pg_settings does not show, and those that the session had set before. Stateless.
 */
final class ParameterNames {
    private static final String NAME = "([a-z_][a-z0-9_$]*(?:\\.[a-z_][a-z0-9_$]*)*)";
    private static final String BEFORE = "set\\s+(?:session\\s+|local\\s+)?\"?|set_config\\s*\\(\\s*'+)";
    private static final Pattern IN_TEXT = Pattern.compile("(?:\\b" + BEFORE + NAME, Pattern.CASE_INSENSITIVE);

    /** The names in functions that were made here, with their values; the third column tells these rows from others. */
    private static final String IN_FUNCTIONS = """
            SELECT name, pg_catalog.current_setting(name, true), true FROM (
                SELECT pg_catalog.lower(m[1])
                FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_language AS l ON l.oid = p.prolang,
                     pg_catalog.regexp_matches(
                         CASE WHEN p.prosrc <> '' THEN p.prosrc
                              WHEN p.prokind <> 'a' THEN pg_catalog.pg_get_functiondef(p.oid) END,
                         $pattern$SETS$pattern$, 'gi') AS m
                WHERE p.oid >= 16384 AND l.lanname NOT IN ('c', 'internal')
                UNION
                SELECT pg_catalog.lower(pg_catalog.split_part(setting, '=', 1))
                FROM pg_catalog.pg_proc AS p, pg_catalog.unnest(p.proconfig) AS setting
                WHERE p.oid >= 16384) AS n (name)
            WHERE pg_catalog.strpos(name, '.') > 0 OR name = 'role'
                  OR EXISTS (SELECT FROM pg_catalog.pg_settings AS s WHERE pg_catalog.lower(s.name) = n.name)""".replace("SETS", "(?:\\m" + BEFORE + NAME);

    /** What outlasts the transaction; a SET of an ordinary parameter where a statement begins, which UPDATE's does not. */
    private static final String STATE = "set_config\\s*\\((?![^;]*,\\s*true\\s*\\))"
            + "|\\mset\\s+(?:session\\s+)?\"?[a-z_][a-z0-9_$]*\\.[a-z_]"
            + "|(?:^|;|\\mbegin|\\mthen|\\melse|\\mloop)\\s*(?:set\\s+(?!local\\M)|listen\\s|prepare\\s)"
            + "|\\mtemp(?:orary)?\\M|advisory_lock(?:_shared)?\\s*\\(|with\\s+hold";

    /** Whether a trigger's function, or one that it names, leaves something on the session. */
    private static final String BY_TRIGGERS = """
            WITH stateful AS MATERIALIZED (
                SELECT oid, pg_catalog.lower(proname) AS name FROM pg_catalog.pg_proc
                WHERE oid >= 16384 AND prosrc ~* $pattern$STATE$pattern$)
            SELECT EXISTS (
                SELECT FROM pg_catalog.pg_proc AS p JOIN stateful AS s
                    ON s.oid = p.oid OR pg_catalog.strpos(pg_catalog.lower(p.prosrc), s.name) > 0
                WHERE p.oid IN (SELECT tgfoid FROM pg_catalog.pg_trigger WHERE NOT tgisinternal))""".replace("STATE", STATE);

    private ParameterNames() {}

    /** What a text of the client may set. */
    static Set<String> in(String text) {
        Set<String> names = new HashSet<>();
        Matcher matcher = IN_TEXT.matcher(text);
        while (matcher.find()) {
            names.add(matcher.group(1).toLowerCase(Locale.ROOT));
        }
        return names;
    }

    /** Asks for what the catalog does not know, and for the values of {@code further} names; may be empty. */
    static String question(Catalog catalog, Collection<String> further) {
        Set<String> names = new HashSet<>(further);
        String functions = IN_FUNCTIONS + ";" + BY_TRIGGERS;
        if (catalog.isFresh()) {
            names.addAll(catalog.parameters());
            functions = "";
        }
        if (names.isEmpty()) {
            return functions;
        }
        StringJoiner values = new StringJoiner("), (", "(", ")");
        names.forEach(name -> values.add(SqlText.quoteLiteral(name)));
        return "SELECT name, pg_catalog.current_setting(name, true) FROM (VALUES " + values + ") AS n (name);"
                + functions;
    }
}
