package dev.pgproxy.insight.log;

import org.jspecify.annotations.Nullable;

/**
 * What has become of the log so far in one place. Immutable.
 *
 * @param sink {@code file}, {@code table}, or {@code loops} for what has not come as far as that
 * @param target the path of the file, or the database as its servers know it; empty for loops
 * @param queued rows that wait to be written
 * @param full dropped since too many waited
 * @param failed dropped since they could not be written
 * @param errors how often something could not be opened or written
 * @param problem why the last try has failed; null if it has not
 */
public record LogReport(
        String sink,
        String target,
        long written,
        long bytes,
        long queued,
        long full,
        long failed,
        long errors,
        @Nullable String problem) {}
