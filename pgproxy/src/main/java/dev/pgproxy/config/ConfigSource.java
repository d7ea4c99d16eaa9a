package dev.pgproxy.config;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/**
 * Where the configuration comes from, as options of {@code run} and {@code check} (a Picocli mixin): a file, or URLs, or
 * {@code DATABASE_URL}. Filled once by Picocli; {@link #load} may then be called again for each RELOAD.
 */
public final class ConfigSource {
    @ArgGroup
    private @Nullable Choice choice;

    /** A file or URLs, not both. */
    private static final class Choice {
        @Option(
                names = {"-c", "--config"},
                paramLabel = "FILE",
                description = "The configuration file, such as conf/pgproxy.conf.")
        private @Nullable Path file;

        @ArgGroup(exclusive = false)
        private @Nullable Urls urls;
    }

    /** Instead of a file. */
    private static final class Urls {
        @Option(
                names = "--primary",
                paramLabel = "URL",
                description = "postgres://user:password@host:port/dbname; otherwise the variable DATABASE_URL.")
        private @Nullable String primary;

        @Option(names = "--replica", paramLabel = "URL", description = "A streaming replica; may be repeated.")
        private List<String> replicas = List.of();

        @Option(
                names = "--listen",
                paramLabel = "ADDR",
                description = "host:port, a port, or the directory of a unix socket; otherwise 127.0.0.1:6432.")
        private @Nullable String listen;
    }

    /**
     * Reads what the options name.
     *
     * @param environment the process's environment
     */
    public ProxyConfig load(Map<String, String> environment) throws ConfigProblems {
        if (choice != null && choice.file != null) {
            return ConfigLoader.load(choice.file, environment);
        }
        Urls urls = choice == null || choice.urls == null ? new Urls() : choice.urls;
        String primary = urls.primary == null ? environment.get("DATABASE_URL") : urls.primary;
        if (primary == null || primary.isEmpty()) {
            throw new ConfigProblems(List.of("no server: give -c FILE or --primary URL, or set DATABASE_URL"));
        }
        return ConfigLoader.fromUrls(primary, urls.replicas, urls.listen);
    }

    /** What the configuration comes from, for the log: a file's name, or {@code the command line}. */
    public String description() {
        return choice == null || choice.file == null ? "the command line" : choice.file.toString();
    }
}
