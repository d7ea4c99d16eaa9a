package dev.pgproxy.auth;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The users known without asking a database: those of the configuration and those of the user list. Immutable; a reload
 * makes another one.
 */
public final class Users {
    private final Map<String, UserSecret> secrets;

    private Users(Map<String, UserSecret> secrets) {
        this.secrets = Map.copyOf(secrets);
    }

    /**
     * Both sources together. The configuration wins, except that a user configured without a password (limits only, say)
     * keeps the one of the list.
     */
    public static Users of(Map<String, UserSecret> configured, Map<String, UserSecret> listed) {
        Map<String, UserSecret> all = new HashMap<>(listed);
        configured.forEach((name, secret) -> {
            if (secret instanceof UserSecret.NoPassword) {
                all.putIfAbsent(name, secret);
            } else {
                all.put(name, secret);
            }
        });
        return new Users(all);
    }

    /** What is stored for this user, or null if he is unknown here. Names are case-sensitive. */
    public @Nullable UserSecret find(String name) {
        return secrets.get(name);
    }

    /** All names, in no order. */
    public Set<String> names() {
        return secrets.keySet();
    }

    @Override
    public String toString() {
        return "Users" + secrets.keySet();
    }
}
