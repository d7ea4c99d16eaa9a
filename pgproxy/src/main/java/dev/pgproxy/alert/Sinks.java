package dev.pgproxy.alert;

import dev.pgproxy.config.AlertSettings;
import dev.pgproxy.config.SmtpSettings;
import dev.pgproxy.config.WebhookSettings;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Everybody who is told: the log at once, the others through an {@link Outbox}. For one thread, but for {@link #status}. */
final class Sinks implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Sinks.class);

    /** By what a sink is the same before and after a RELOAD. */
    private record Key(Object settings, Source source) {}

    private final Retry retry;
    private volatile Map<Key, Outbox> outboxes = Map.of();
    private final AtomicLong logged = new AtomicLong();
    private volatile @Nullable Instant lastLogged;

    Sinks(Retry retry) {
        this.retry = retry;
    }

    /** Those of the settings; what has not changed keeps its queue and its counts. */
    void reload(AlertSettings settings) {
        Map<Key, Outbox> before = outboxes;
        Map<Key, Outbox> after = new LinkedHashMap<>();
        Source source = new Source(settings.source());
        of(settings, source).forEach((key, make) -> {
            Outbox kept = before.get(key);
            if (kept == null) {
                kept = new Outbox(make.get(), retry);
                kept.start();
            }
            after.put(key, kept);
        });
        outboxes = after;
        before.forEach((key, outbox) -> {
            if (!after.containsKey(key)) {
                outbox.close();
            }
        });
    }

    private static Map<Key, Supplier<Sink>> of(AlertSettings settings, Source source) {
        Map<Key, Supplier<Sink>> sinks = new LinkedHashMap<>();
        for (WebhookSettings webhook : settings.targets().webhooks()) {
            sinks.put(new Key(webhook, source), () -> new WebhookSink(webhook, source));
        }
        SmtpSettings smtp = settings.targets().smtp();
        if (smtp != null) {
            sinks.put(new Key(smtp, source), () -> new MailSink(smtp, source));
        }
        return sinks;
    }

    /** Those besides the log, for somebody who tells them by himself. */
    static List<Sink> of(AlertSettings settings) {
        return of(settings, new Source(settings.source())).values().stream()
                .map(make -> make.get())
                .toList();
    }

    /** Tells everybody; waits for nobody. */
    void tell(Alert alert, int perMinute, long now) {
        if (!alert.isRaised()) {
            LOG.info("alert {}", alert.summary());
        } else if (alert.kind().severity() == Severity.CRITICAL) {
            LOG.error("alert {}. {}", alert.summary(), alert.kind().advice());
        } else {
            LOG.warn("alert {}. {}", alert.summary(), alert.kind().advice());
        }
        logged.incrementAndGet();
        lastLogged = Instant.now();
        outboxes.values().forEach(outbox -> outbox.offer(alert, perMinute, now));
    }

    /** To be called about once a second. */
    void tick(int perMinute, long now, Instant time) {
        outboxes.values().forEach(outbox -> outbox.tick(perMinute, now, time));
    }

    /** How each is, the log first. */
    List<SinkStatus> status() {
        long count = logged.get();
        SinkStatus log = new SinkStatus("log", "log", 0, count, count, 0, 0, 0, lastLogged, "");
        return Stream.concat(Stream.of(log), outboxes.values().stream().map(Outbox::status))
                .toList();
    }

    @Override
    public void close() {
        outboxes.values().forEach(Outbox::close);
    }
}
