package dev.pgproxy.alert;

import dev.pgproxy.config.AlertSettings;
import dev.pgproxy.health.breaker.BreakerReport;
import dev.pgproxy.health.breaker.BreakerState;
import dev.pgproxy.pool.Pools;
import java.util.ArrayList;
import java.util.List;

/** A host refuses logins, or breaks what runs there: it is left alone, or tried now and then. */
record BreakerOpen(Pools pools) implements Condition {
    @Override
    public AlertKind kind() {
        return AlertKind.BREAKER_OPEN;
    }

    @Override
    public List<Reading> look(AlertSettings settings, long now) {
        List<Reading> readings = new ArrayList<>();
        pools.breakers().all().forEach((host, breaker) -> {
            BreakerReport report = breaker.report();
            boolean open = report.state() != BreakerState.CLOSED;
            readings.add(Reading.of(host.toString(), open, "it fails: " + report.lastFailure()));
        });
        return readings;
    }
}
