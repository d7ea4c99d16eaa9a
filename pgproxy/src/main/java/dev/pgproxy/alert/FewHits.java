package dev.pgproxy.alert;

import dev.pgproxy.config.AlertSettings;
import dev.pgproxy.results.CacheReason;
import dev.pgproxy.route.DatabaseState;
import dev.pgproxy.route.Routes;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** The cache seldom has what is asked. Confined to one thread. */
final class FewHits implements Condition {
    private final Routes routes;
    private final Shares shares = new Shares();

    FewHits(Routes routes) {
        this.routes = routes;
    }

    @Override
    public AlertKind kind() {
        return AlertKind.CACHE_HIT_RATE;
    }

    @Override
    public List<Reading> look(AlertSettings settings, long now) {
        List<Reading> readings = new ArrayList<>();
        Set<String> databases = new HashSet<>();
        for (DatabaseState state : routes.all()) {
            String database =
                    state.database().name() + " on " + state.database().primary();
            long hits = state.counts().of(CacheReason.HIT) + state.counts().of(CacheReason.SHADOW);
            long all = hits + state.counts().of(CacheReason.MISS);
            double percent =
                    shares.percent(database, hits, all, settings.window().toNanos(), now);
            databases.add(database);
            if (settings.hitRate() > 0 && percent != Shares.NONE) {
                readings.add(new Reading(
                        database,
                        percent,
                        Threshold.belowPercent(settings.hitRate()),
                        String.format(Locale.ROOT, "only %.1f %% of look-ups in the cache were hits", percent)));
            }
        }
        shares.keep(databases);
        return readings;
    }
}
