package dev.pgproxy.config;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Which statements are logged one by one, and where. Immutable.
 *
 * @param target where
 * @param sampleRate the share of them that is logged, 0 to 1
 * @param path of the file, whether it is written or not; null = none
 * @param rotationSize bytes from which on another file is begun
 * @param files how many are kept, the one that is written included
 * @param textLength characters of a statement that are logged at most
 */
public record QueryLogSettings(
        QueryLogTarget target, double sampleRate, @Nullable Path path, long rotationSize, int files, int textLength) {
    static final SettingGroup GROUP = new SettingGroup("Query log");
    static final Setting<QueryLogTarget> QUERY_LOG = GROUP.fixed(
            "query_log",
            SettingTypes.choice(QueryLogTarget.class),
            QueryLogTarget.OFF,
            "Log each statement to a file, or to the table pgproxy.query_log in its database (needs control_user).");
    static final Setting<Double> SAMPLE_RATE = GROUP.live(
            "query_log_sample_rate",
            SettingTypes.share(),
            1.0,
            "Share of the statements that is logged, chosen at random; 1 = all, 0 = none.");
    static final Setting<Path> FILE =
            GROUP.fixed("query_log_file", SettingTypes.path(), null, "Where query_log = file writes lines of JSON.");
    static final Setting<Long> ROTATION_SIZE = GROUP.fixed(
            "query_log_rotation_size",
            SettingTypes.size(1 << 10, 1L << 40),
            100L << 20,
            "A file that would be longer becomes query_log_file.1, that .2 and so on.");
    static final Setting<Integer> FILES = GROUP.fixed(
            "query_log_files",
            SettingTypes.integer(1, 1000),
            10,
            "Files that are kept, the one that is written included.");
    static final Setting<Integer> TEXT_LENGTH = GROUP.fixed(
            "query_log_text_length",
            SettingTypes.integer(0, 1024),
            1024,
            "Characters of a statement, its literals masked, that are logged at most.");

    static QueryLogSettings from(SettingValues values) {
        return new QueryLogSettings(
                values.get(QUERY_LOG),
                values.get(SAMPLE_RATE),
                values.find(FILE),
                values.get(ROTATION_SIZE),
                values.get(FILES),
                values.get(TEXT_LENGTH));
    }

    /** Whether anything is to be logged. */
    public boolean isOn() {
        return target != QueryLogTarget.OFF;
    }

    /** The file that is written; null if none is. */
    public @Nullable Path file() {
        return target == QueryLogTarget.FILE ? path : null;
    }
}
