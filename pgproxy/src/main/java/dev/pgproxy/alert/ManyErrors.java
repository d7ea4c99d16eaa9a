package dev.pgproxy.alert;

import dev.pgproxy.config.AlertSettings;
import dev.pgproxy.pool.PoolCounters.Counter;
import dev.pgproxy.pool.Pools;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Many statements of a database fail, be it at a server or before. Confined to one thread. */
final class ManyErrors implements Condition {
    private final Pools pools;
    private final Shares shares = new Shares();

    ManyErrors(Pools pools) {
        this.pools = pools;
    }

    @Override
    public AlertKind kind() {
        return AlertKind.ERROR_RATE;
    }

    @Override
    public List<Reading> look(AlertSettings settings, long now) {
        List<Reading> readings = new ArrayList<>();
        Map<String, long[]> databases = pools.counted().databases();
        databases.forEach((database, counts) -> {
            long refused = counts[Counter.REFUSED_COUNT.ordinal()];
            double percent = shares.percent(
                    database,
                    counts[Counter.ERROR_COUNT.ordinal()] + refused,
                    counts[Counter.QUERY_COUNT.ordinal()] + refused,
                    settings.window().toNanos(),
                    now);
            if (settings.errorRate() > 0 && percent != Shares.NONE) {
                readings.add(new Reading(
                        database,
                        percent,
                        Threshold.above(settings.errorRate()),
                        String.format(Locale.ROOT, "%.1f %% of statements failed", percent)));
            }
        });
        shares.keep(databases.keySet());
        return readings;
    }
}
