package dev.pgproxy.insight;

import dev.pgproxy.config.SlowSettings;
import dev.pgproxy.routing.sql.Shape;

/** What becomes of slow statements besides SHOW SLOW: a line in the log, and their plans. Thread-safe. */
public final class SlowReports implements Slowness, AutoCloseable {
    private final Plans plans;
    private final SlowLog log;

    /** As configured. */
    public SlowReports(SlowSettings settings) {
        this.plans = new Plans(settings);
        this.log = new SlowLog(plans);
        log.reload(settings);
    }

    /** RELOAD. */
    public void reload(SlowSettings settings) {
        plans.reload(settings);
        log.reload(settings);
    }

    @Override
    public void slow(SlowStatement statement, Shape shape) {
        log.add(statement);
        plans.slow(statement, shape);
    }

    @Override
    public void sample(Sample sample) {
        plans.sample(sample);
    }

    /** The plans. */
    public Plans plans() {
        return plans;
    }

    /** The log. */
    public SlowLog log() {
        return log;
    }

    @Override
    public void close() {
        log.close();
    }
}
