package dev.pgproxy.insight.log;

import dev.pgproxy.config.HostAddress;
import dev.pgproxy.config.QueryLogSettings;
import dev.pgproxy.json.JsonLinesFile;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * The log of what was answered. Its thread looks into the rings of the event loops twenty times a second, and gives each entry to
 * who writes it: one file, or for each database a table. Nothing here ever waits for one of these. Thread-safe.
 */
public final class QueryLog {
    static final int MOST_TABLES = 64;

    private static final long ROUND_MILLIS = 50;
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(3);

    private final QueryLogSettings settings;
    private final LogPlaces places;
    private final LogRing[] rings;
    private final Map<String, LogWriter> writers = new ConcurrentSkipListMap<>();
    private final CountDownLatch ending = new CountDownLatch(1);
    private final CompletableFuture<Void> ended = new CompletableFuture<>();
    private final LongAdder nowhere = new LongAdder();

    private QueryLog(QueryLogSettings settings, int loops, LogPlaces places) {
        this.settings = settings;
        this.places = places;
        this.rings = new LogRing[loops];
        for (int i = 0; i < loops; i++) {
            rings[i] = new LogRing(settings.sampleRate());
        }
        if (settings.file() != null) {
            writers.put("", writer(settings.file()));
        }
    }

    private LogWriter writer(Path path) {
        JsonLinesFile file = new JsonLinesFile(path, settings.rotationSize(), settings.files());
        return new LogWriter("file", path.toString(), new FileSink(file));
    }

    /** Begins, for so many event loops; null if the settings do not want it. */
    public static @Nullable QueryLog start(QueryLogSettings settings, int loops, LogPlaces places) {
        if (!settings.isOn()) {
            return null;
        }
        QueryLog log = new QueryLog(settings, loops, places);
        Thread.ofPlatform().daemon().name("query log").start(log::run);
        return log;
    }

    /** Where an event loop leaves what it has to say. */
    public LogRing ring(int loop) {
        return rings[loop];
    }

    /** RELOAD: how many statements are logged from now on. */
    public void reload(QueryLogSettings changed) {
        for (LogRing ring : rings) {
            ring.rate(changed.sampleRate());
        }
    }

    private void run() {
        try {
            while (!ending.await(ROUND_MILLIS, TimeUnit.MILLISECONDS)) {
                distribute();
            }
            distribute();
            long until = System.nanoTime() + PATIENCE_NANOS;
            writers.values().forEach(LogWriter::end);
            for (LogWriter writer : writers.values()) {
                writer.awaitEnd(until);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            ended.complete(null);
        }
    }

    private void distribute() {
        long nanos = System.nanoTime();
        Instant now = Instant.now();
        for (LogRing ring : rings) {
            for (int i = 0; i < LogRing.PLACES; i++) { // others have their turn, too
                LogEntry entry = ring.take();
                if (entry == null) {
                    break;
                }
                give(entry, now.minusNanos(nanos - entry.ended()));
            }
        }
    }

    private void give(LogEntry entry, Instant endedAt) {
        LogPlaces.Place place = places.of(entry.caller().database());
        LogWriter writer = writer(place);
        if (writer == null) {
            nowhere.increment();
        } else {
            writer.add(new LogRow(endedAt, route(place, entry), settings.textLength(), entry));
        }
    }

    private @Nullable LogWriter writer(LogPlaces.@Nullable Place place) {
        if (settings.file() != null) {
            return Objects.requireNonNull(writers.get(""));
        }
        if (place == null) {
            return null;
        }
        String name = place.toString();
        LogWriter known = writers.get(name);
        if (known == null && writers.size() < MOST_TABLES) {
            known = new LogWriter("table", name, new TableSink(places, place));
            writers.put(name, known);
        }
        return known;
    }

    private String route(LogPlaces.@Nullable Place place, LogEntry entry) {
        HostAddress host = entry.host();
        if (host == null) {
            return entry.sqlState() == null ? "cache" : "refused";
        }
        return place == null || places.isPrimary(place, host) ? "primary" : "replica";
    }

    /** What has become of it so far: by loops together, and in each place. */
    public List<LogReport> reports() {
        long dropped = nowhere.sum();
        for (LogRing ring : rings) {
            dropped += ring.dropped();
        }
        List<LogReport> reports = new ArrayList<>();
        reports.add(new LogReport("loops", "", 0, 0, 0, dropped, 0, 0, null));
        writers.values().forEach(writer -> reports.add(writer.report()));
        return reports;
    }

    /** Nothing more comes: what is there is written, for some seconds at most. Completes when that has ended. */
    public CompletionStage<Void> end() {
        ending.countDown();
        return ended;
    }
}
