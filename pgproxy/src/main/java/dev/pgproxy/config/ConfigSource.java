package dev.pgproxy.config;

import dev.pgproxy.pgbouncer.PgBouncerIni;
import dev.pgproxy.pgbouncer.Remark;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * Where the configuration comes from, as options of {@code run} and {@code check} (a Picocli mixin): a file, or URLs, or
 * {@code DATABASE_URL}. Filled once by Picocli; {@link #load} may then be called again for
 * each RELOAD.
 */
public final class ConfigSource {
    @ArgGroup
    private @Nullable Choice choice;

    private volatile List<Remark> remarks = List.of();

    /** A file or URLs, not both. */
    private static final class Choice {
        @Option(
                names = {"-c", "--config"},
                paramLabel = "FILE",
                description = "The configuration file: conf/pgproxy.conf, or an unchanged pgbouncer.ini.")
        private @Nullable Path file;

        @Parameters(paramLabel = "FILE", arity = "0..1", description = "The same without -c.")
        private @Nullable Path bare;

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
        Path file = file();
        remarks = List.of();
        if (file != null && Files.isReadable(file) && PgBouncerIni.is(file)) {
            PgBouncerIni ini = PgBouncerIni.read(file);
            ProxyConfig config = ConfigLoader.load(ini);
            remarks = ini.remarks();
            return config;
        }
        if (file != null) {
            return ConfigLoader.load(file, environment);
        }
        Urls urls = choice == null || choice.urls == null ? new Urls() : choice.urls;
        String primary = urls.primary == null ? environment.get("DATABASE_URL") : urls.primary;
        if (primary == null || primary.isEmpty()) {
            throw new ConfigProblems(List.of("no server: give FILE or --primary URL, or set DATABASE_URL"));
        }
        return ConfigLoader.fromUrls(primary, urls.replicas, urls.listen);
    }

    /** What the file that {@link #load} has read says and pgproxy has no setting for; of PgBouncer's form only. */
    public List<Remark> remarks() {
        return remarks;
    }

    /** What the configuration comes from, for the log: a file's name, or {@code the command line}. */
    public String description() {
        Path file = file();
        return file == null ? "the command line" : file.toString();
    }

    private @Nullable Path file() {
        if (choice == null) {
            return null;
        }
        return choice.file == null ? choice.bare : choice.file;
    }
}
