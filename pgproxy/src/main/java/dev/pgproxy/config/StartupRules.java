package dev.pgproxy.config;

import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Which run-time parameters clients may start with. Immutable. Source: PgBouncer's src/client.c (set_startup_options,
 * decide_startup_pool).
 *
 * @param allowed in lower case; {@code *} = all
 * @param ignored taken as if the client had not said them, in lower case; {@code options} = all that stand in there
 */
public record StartupRules(Set<String> allowed, Set<String> ignored) {
    /** What a parameter is answered with. */
    public enum Answer {
        OBEYED,
        IGNORED,
        REFUSED
    }

    public StartupRules {
        allowed = lowerCase(allowed);
        ignored = lowerCase(ignored);
    }

    private static Set<String> lowerCase(Set<String> names) {
        return names.stream().map(name -> name.toLowerCase(Locale.ROOT)).collect(Collectors.toUnmodifiableSet());
    }

    /** Whether no parameter is ignored or refused. */
    public boolean obeysAll() {
        return ignored.isEmpty() && allowed.contains("*");
    }

    /** What is done with a parameter of this name; one that is allowed by its name is obeyed also if it is to be ignored. */
    public Answer of(String name) {
        String lower = name.toLowerCase(Locale.ROOT);
        if (allowed.contains(lower)) {
            return Answer.OBEYED;
        }
        if (ignored.contains(lower)) {
            return Answer.IGNORED;
        }
        return allowed.contains("*") ? Answer.OBEYED : Answer.REFUSED;
    }
}
