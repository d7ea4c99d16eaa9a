package dev.pgproxy.alert;

import dev.pgproxy.cache.redis.LinkStatus;
import dev.pgproxy.config.AlertSettings;
import dev.pgproxy.route.Instances;
import dev.pgproxy.route.Routes;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/** There is no contact with the other instances. Looks at what was answered to the question of the look before. */
final class RedisLost implements Condition {
    private final Routes routes;
    private final AtomicBoolean asked = new AtomicBoolean();
    private volatile @Nullable LinkStatus said;

    RedisLost(Routes routes) {
        this.routes = routes;
    }

    @Override
    public AlertKind kind() {
        return AlertKind.REDIS_LOST;
    }

    @Override
    public List<Reading> look(AlertSettings settings, long now) {
        Instances instances = routes.instances();
        if (instances == null) {
            return List.of();
        }
        LinkStatus status = said;
        if (asked.compareAndSet(false, true)) {
            instances.status().whenComplete((answer, failure) -> {
                said = failure == null ? answer : said;
                asked.set(false);
            });
        }
        return status == null
                ? List.of()
                : List.of(Reading.of("redis", !status.connected(), "no contact with it: " + status.problem()));
    }
}
