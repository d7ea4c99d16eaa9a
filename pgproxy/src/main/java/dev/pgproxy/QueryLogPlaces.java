package dev.pgproxy;

import dev.pgproxy.config.DatabaseSettings;
import dev.pgproxy.config.HostAddress;
import dev.pgproxy.config.ProxyConfig;
import dev.pgproxy.health.probe.ControlTarget;
import dev.pgproxy.insight.log.LogPlaces;
import dev.pgproxy.route.PhysicalDatabase;
import dev.pgproxy.route.Primaries;
import dev.pgproxy.route.Routes;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Databases as the configuration has them now, and their primaries as they are watched. Thread-safe. */
record QueryLogPlaces(Supplier<ProxyConfig> config, Routes routes, Primaries primaries) implements LogPlaces {
    @Override
    public @Nullable Place of(String asked) {
        DatabaseSettings database = config.get().database(asked);
        return database == null ? null : new Place(database.primary(), database.serverDatabase(asked));
    }

    @Override
    public @Nullable ControlTarget target(Place place) {
        List<ControlTarget> all = routes.controlTargets(new PhysicalDatabase(place.primary(), place.database()));
        return all.isEmpty() ? null : all.getFirst();
    }

    @Override
    public boolean isPrimary(Place place, HostAddress host) {
        HostAddress now = primaries.address(place.primary());
        return now == null || now.equals(host);
    }
}
