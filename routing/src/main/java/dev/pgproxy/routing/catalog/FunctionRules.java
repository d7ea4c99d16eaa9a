package dev.pgproxy.routing.catalog;

import dev.pgproxy.routing.catalog.CatalogRows.FunctionRow;

/**
 * What calling a function means, without what its body names. PostgreSQL's own functions go by the lists beside this
 * class and their volatility, others by volatility and language: what calls itself immutable or stable is believed not to
 * change anything. Immutable.
 */
final class FunctionRules {
    private static final NameList SESSION = new NameList("session-functions.txt");
    private static final NameList HOST = new NameList("host-functions.txt");
    private static final NameList HARMLESS = new NameList("harmless-functions.txt");
    private static final NameList CATALOG = new NameList("catalog-functions.txt");
    private static final NameList TEXT_RUNNING = new NameList("text-running-functions.txt");
    private static final NameList EXTENSION = new NameList("extension-functions.txt");

    private static final int FIRST_USER_OID = 16384;

    /** Stands for all definitions: pg_class. */
    static final RelationSet DEFINITIONS = RelationSet.of(1259);

    /** pg_largeobject, pg_largeobject_metadata. */
    private static final RelationSet LARGE_OBJECTS = RelationSet.of(2613, 2995);

    private final RelationSet sequences;

    /** With all sequences of the database: calls of nextval name them in ways that are not followed. */
    FunctionRules(RelationSet sequences) {
        this.sequences = sequences;
    }

    /** Whether initdb made the object with this OID. */
    static boolean isSystem(int oid) {
        return Integer.compareUnsigned(oid, FIRST_USER_OID) < 0;
    }

    static boolean isBuiltIn(FunctionRow function) {
        return isSystem(function.oid()) && function.schema().equals("pg_catalog");
    }

    /** Whether its body is text, or a tree, that can be read. */
    static boolean isReadable(FunctionRow function) {
        return function.language().equals("sql") || function.language().equals("plpgsql");
    }

    Reading of(FunctionRow function) {
        return isBuiltIn(function) ? builtIn(function) : other(function);
    }

    private Reading builtIn(FunctionRow function) {
        String name = function.name();
        if (SESSION.contains(name)) {
            return Reading.hindered(Hindrance.SESSION_STATE, name).withWrites(sessionWrites(name));
        }
        if (TEXT_RUNNING.contains(name)) {
            return anything(name);
        }
        if (CATALOG.contains(name)) {
            return Reading.of(DEFINITIONS);
        }
        if (HARMLESS.contains(name)) {
            return Reading.NOTHING;
        }
        if (HOST.contains(name)) {
            boolean bound = name.contains("xact") || name.contains("xid") || name.contains("snapshot");
            return new Reading(RelationSet.NONE, RelationSet.NONE, Hindrance.HOST_STATE, name, bound);
        }
        if (function.volatility() == 'v') {
            return Reading.hindered(Hindrance.VOLATILE_FUNCTION, name);
        }
        return BodyText.TRANSACTION_TIME.contains(name)
                ? new Reading(RelationSet.NONE, RelationSet.NONE, null, null, true)
                : Reading.NOTHING;
    }

    private RelationSet sessionWrites(String name) {
        if (name.equals("nextval") || name.equals("setval")) {
            return sequences;
        }
        return name.startsWith("lo") ? LARGE_OBJECTS : RelationSet.NONE;
    }

    private static Reading other(FunctionRow function) {
        boolean isC = function.language().equals("c");
        if (isC && TEXT_RUNNING.contains(function.name())) {
            return anything(function.name());
        }
        if (function.kind() == 'a') {
            return Reading.NOTHING;
        }
        if (function.volatility() == 'v') {
            if (isC && EXTENSION.contains(function.name())) {
                return Reading.NOTHING;
            }
            return isReadable(function)
                    ? Reading.hindered(Hindrance.VOLATILE_FUNCTION, function.name())
                    : anything(function.name());
        }
        boolean compiled = isC || function.language().equals("internal");
        return compiled || isReadable(function) ? Reading.NOTHING : Reading.of(RelationSet.ALL);
    }

    private static Reading anything(String name) {
        return new Reading(RelationSet.ALL, RelationSet.ALL, Hindrance.VOLATILE_FUNCTION, name, true);
    }
}
