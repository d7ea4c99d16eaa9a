package dev.pgproxy.pool;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Which applications of a pool look at the values that sequences had in their session, by application_name: learnt from
 * what they send. Thread-safe, bounded: of too many names the later ones are not remembered.
 */
public final class SequenceUsers {
    private static final int MAX = 256;

    /** True: currval or lastval was seen; false: something that may call them. */
    private final Map<String, Boolean> applications = new ConcurrentHashMap<>();

    /** The application has sent a statement that looks at such a value for {@code certain}, or may do so. */
    public void looks(@Nullable String application, boolean certain) {
        String name = name(application);
        Boolean known = applications.get(name);
        if ((known == null || certain && !known) && (known != null || applications.size() < MAX)) {
            applications.merge(name, certain, Boolean::logicalOr);
        }
    }

    /** Whether the application was seen to call currval or lastval. */
    public boolean look(@Nullable String application) {
        return !applications.isEmpty() && applications.getOrDefault(name(application), false);
    }

    /** Whether the application was seen to send what may call them. */
    public boolean mayLook(@Nullable String application) {
        return !applications.isEmpty() && applications.containsKey(name(application));
    }

    private static String name(@Nullable String application) {
        return application == null ? "" : application;
    }
}
