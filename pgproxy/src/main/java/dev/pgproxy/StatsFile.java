package dev.pgproxy;

import dev.pgproxy.insight.QueryStats;
import dev.pgproxy.insight.SavedStats;
import java.io.IOException;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Where what was counted of statements is kept for the next start: texts without literals, and names. Thread-safe. */
final class StatsFile {
    private static final Logger LOG = LoggerFactory.getLogger(StatsFile.class);
    private static final long LONGEST = 256L << 20;

    private final Path path;
    private final PrivateFile file;
    private final QueryStats stats;
    private final int most;

    /** @param most statements that are kept */
    StatsFile(Path path, QueryStats stats, int most) {
        this.path = path;
        this.file = new PrivateFile(path);
        this.stats = stats;
        this.most = most;
    }

    /** What is in it counts from now on; nothing, with a line in the log, if it cannot be used. */
    void read() {
        try {
            byte[] bytes = file.read(LONGEST);
            if (bytes != null) {
                stats.restore(SavedStats.parse(bytes, most));
            }
        } catch (IOException | RuntimeException e) {
            LOG.warn("query_stats_file {} is not used: {}", path, e.getMessage());
        }
    }

    /** Replaces it, as a whole or not at all. */
    void write() {
        try {
            file.write(SavedStats.bytes(stats.sums(most)));
        } catch (IOException e) {
            LOG.warn("query_stats_file {} cannot be written: {}", path, e.toString());
        }
    }
}
