package dev.pgproxy.session;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The run-time parameters that a session has set, each with the SQL that sets it; a parameter that is not in here has
 * its server's default. Replaying SQL instead of values keeps whatever PostgreSQL makes of a value its own business.
 * Immutable and shared: equal settings are mostly the same object, which is how alignment is found to be unneeded by
 * one comparison of references.
 */
public final class Settings {
    /** Nothing set. */
    public static final Settings NONE = new Settings(Map.of());

    /** Name under which SET ROLE is kept. */
    public static final String ROLE = "role";

    /** Name under which SET SESSION AUTHORIZATION is kept. */
    public static final String SESSION_AUTHORIZATION = "session_authorization";

    private static final Shared<Settings> SHARED = new Shared<>();

    private final Map<String, String> statements;
    private final int hash;

    private Settings(Map<String, String> statements) {
        this.statements = statements;
        this.hash = statements.hashCode();
    }

    private static Settings share(Map<String, String> statements) {
        if (statements.isEmpty()) {
            return NONE;
        }
        return SHARED.of(new Settings(Collections.unmodifiableMap(statements)));
    }

    /** The SQL that sets the parameter, or null if it is not set. */
    public @Nullable String get(String name) {
        return statements.get(name);
    }

    /** Names of what is set, in the order of setting. */
    public Set<String> names() {
        return statements.keySet();
    }

    /** The same with a parameter set by {@code sql}. */
    public Settings with(String name, String sql) {
        if (sql.equals(statements.get(name))) {
            return this;
        }
        Map<String, String> copy = new LinkedHashMap<>(statements);
        copy.put(name, sql);
        return share(copy);
    }

    /** The same without a parameter. */
    public Settings without(String name) {
        if (!statements.containsKey(name)) {
            return this;
        }
        Map<String, String> copy = new LinkedHashMap<>(statements);
        copy.remove(name);
        return share(copy);
    }

    /** The same with a parameter as it is in {@code other}: set or not. */
    public Settings like(Settings other, String name) {
        String sql = other.get(name);
        return sql == null ? without(name) : with(name, sql);
    }

    /** Whether a parameter is one that PostgreSQL does not know: a placeholder with a dot in its name. */
    public static boolean isCustom(String name) {
        return name.indexOf('.') > 0;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return this == other || other instanceof Settings that && statements.equals(that.statements);
    }

    @Override
    public int hashCode() {
        return hash;
    }

    @Override
    public String toString() {
        return statements.keySet().toString();
    }
}
