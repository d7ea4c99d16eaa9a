package dev.pgproxy.routing.catalog;

import dev.pgproxy.routing.catalog.CatalogRows.FunctionRow;
import org.jspecify.annotations.Nullable;

/**
 * What calling a function means, without what its body names. PostgreSQL's own functions go by the lists beside this
 * class and their volatility, others by volatility and language: what calls itself immutable or stable is believed not to
 * change anything. Whether a value may be kept goes by lists too, for PostgreSQL's own functions; a compiled one of
 * others has to call itself immutable for that. Immutable.
 */
final class FunctionRules {
    private static final NameList SESSION = new NameList("session-functions.txt");
    private static final NameList HOST = new NameList("host-functions.txt");
    private static final NameList HARMLESS = new NameList("harmless-functions.txt");
    private static final NameList CATALOG = new NameList("catalog-functions.txt");
    private static final NameList TEXT_RUNNING = new NameList("text-running-functions.txt");
    private static final NameList EXTENSION = new NameList("extension-functions.txt");
    private static final NameList CACHEABLE = new NameList("cacheable-functions.txt");
    private static final NameList MOMENT = new NameList("moment-functions.txt");
    private static final NameList CHANCE = new NameList("chance-functions.txt");
    private static final NameList BACKEND = new NameList("backend-functions.txt");

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
        CacheFacts caching = caching(function);
        if (SESSION.contains(name)) {
            return reading(Hindrance.SESSION_STATE, name, false, caching).withWrites(sessionWrites(name));
        }
        if (TEXT_RUNNING.contains(name)) {
            return anything(name, CacheHindrance.UNKNOWN);
        }
        if (CATALOG.contains(name)) {
            return readsDefinitions(name);
        }
        if (HARMLESS.contains(name)) {
            return Reading.of(caching);
        }
        if (HOST.contains(name)) {
            boolean bound = name.contains("xact") || name.contains("xid") || name.contains("snapshot");
            return reading(Hindrance.HOST_STATE, name, bound, caching);
        }
        if (function.volatility() == 'v') {
            return reading(Hindrance.VOLATILE_FUNCTION, name, false, caching);
        }
        return reading(null, name, BodyText.TRANSACTION_TIME.contains(name), caching);
    }

    private static Reading reading(@Nullable Hindrance hindrance, String name, boolean bound, CacheFacts caching) {
        String culprit = hindrance == null ? null : name;
        return new Reading(RelationSet.NONE, RelationSet.NONE, hindrance, culprit, bound, caching);
    }

    /** What keeps the value of one of PostgreSQL's own functions from the cache, beside what keeps it from replicas. */
    private static CacheFacts caching(FunctionRow function) {
        String name = function.name();
        boolean dependsOnSettings = name.equals("current_setting");
        if (BACKEND.contains(name)) {
            return new CacheFacts(CacheHindrance.SESSION, name, dependsOnSettings);
        }
        if (function.volatility() == 'i' || CACHEABLE.contains(name)) {
            return CacheFacts.FREE;
        }
        if (MOMENT.contains(name)) {
            return CacheFacts.hindered(CacheHindrance.MOMENT, name);
        }
        if (CHANCE.contains(name)) {
            return CacheFacts.hindered(CacheHindrance.CHANCE, name);
        }
        // a hindrance for replicas says more of the function than its volatility
        boolean isNamed = SESSION.contains(name) || (HOST.contains(name) && !HARMLESS.contains(name));
        return isNamed ? CacheFacts.FREE : CacheFacts.hindered(byVolatility(function), name);
    }

    private static CacheHindrance byVolatility(FunctionRow function) {
        return function.volatility() == 's' ? CacheHindrance.STABLE_FUNCTION : CacheHindrance.VOLATILE_FUNCTION;
    }

    /** Of what a change of any definition can change. */
    static Reading readsDefinitions(String name) {
        CacheFacts caching = CacheFacts.hindered(CacheHindrance.DEFINITIONS, name);
        return new Reading(DEFINITIONS, RelationSet.NONE, null, null, false, caching);
    }

    private RelationSet sessionWrites(String name) {
        if (name.equals("nextval") || name.equals("setval")) {
            return sequences;
        }
        return name.startsWith("lo") ? LARGE_OBJECTS : RelationSet.NONE;
    }

    private static Reading other(FunctionRow function) {
        String name = function.name();
        boolean isC = function.language().equals("c");
        if (isC && TEXT_RUNNING.contains(name)) {
            return anything(name, CacheHindrance.UNKNOWN);
        }
        if (function.kind() == 'a') {
            return Reading.NOTHING;
        }
        if (function.volatility() == 'v') {
            if (isC && EXTENSION.contains(name)) {
                return Reading.of(CacheFacts.hindered(CacheHindrance.CHANCE, name));
            }
            return isReadable(function)
                    ? Reading.hindered(Hindrance.VOLATILE_FUNCTION, name)
                    : anything(name, CacheHindrance.VOLATILE_FUNCTION);
        }
        if (isReadable(function)) {
            return Reading.NOTHING;
        }
        if (!isC && !function.language().equals("internal")) {
            CacheFacts caching = CacheFacts.hindered(CacheHindrance.UNKNOWN, name);
            return new Reading(RelationSet.ALL, RelationSet.NONE, null, null, false, caching);
        }
        return function.volatility() == 'i'
                ? Reading.NOTHING
                : Reading.of(CacheFacts.hindered(CacheHindrance.STABLE_FUNCTION, name));
    }

    private static Reading anything(String name, CacheHindrance uncacheable) {
        CacheFacts caching = CacheFacts.hindered(uncacheable, name);
        return new Reading(RelationSet.ALL, RelationSet.ALL, Hindrance.VOLATILE_FUNCTION, name, true, caching);
    }
}
