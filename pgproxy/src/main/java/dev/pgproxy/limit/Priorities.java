package dev.pgproxy.limit;

import dev.pgproxy.config.PoolSettings;
import dev.pgproxy.config.ProxyConfig;
import dev.pgproxy.config.UserSettings;
import dev.pgproxy.routing.Priority;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Whose clients are given a server first. Thread-safe. */
public final class Priorities {
    /** Nobody before anybody else, for clients within the process. */
    public static final Priorities NONE = new Priorities();

    private volatile @Nullable PoolSettings applications;
    private volatile Map<String, Priority> users = Map.of();

    private Priorities() {}

    /** As the configuration says. */
    public Priorities(ProxyConfig config) {
        reload(config);
    }

    /** RELOAD. */
    public void reload(ProxyConfig config) {
        applications = config.pool();
        users = config.users().values().stream()
                .filter(user -> user.priority() != null)
                .collect(Collectors.toUnmodifiableMap(UserSettings::name, user -> user.priority()));
    }

    /**
     * The priority of a statement: what its hint asks for, else what its application has; no higher than its user's, where that
     * is said.
     */
    public Priority of(String user, String application, @Nullable Priority hint) {
        Priority most = users.get(user);
        Priority asked = hint == null ? ofApplication(application) : hint;
        if (asked == null) {
            return most == null ? Priority.NORMAL : most;
        }
        return most != null && most.compareTo(asked) > 0 ? most : asked;
    }

    private @Nullable Priority ofApplication(String application) {
        PoolSettings known = applications;
        if (known == null) {
            return null;
        }
        return known.criticalApplications().contains(application)
                ? Priority.CRITICAL
                : known.batchApplications().contains(application) ? Priority.BATCH : null;
    }
}
