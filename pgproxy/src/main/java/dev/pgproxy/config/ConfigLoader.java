package dev.pgproxy.config;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigObject;
import com.typesafe.config.ConfigOrigin;
import com.typesafe.config.ConfigParseOptions;
import com.typesafe.config.ConfigResolveOptions;
import com.typesafe.config.ConfigResolver;
import com.typesafe.config.ConfigSyntax;
import com.typesafe.config.ConfigValue;
import com.typesafe.config.ConfigValueFactory;
import dev.pgproxy.pgbouncer.PgBouncerIni;
import dev.pgproxy.pgbouncer.Remark;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Makes a {@link ProxyConfig} from a HOCON file, from a {@code pgbouncer.ini}, from text or from URLs, or tells everything that is wrong. Reads files
 * and so never runs on an event loop.
 */
public final class ConfigLoader {
    private ConfigLoader() {}

    /** Reads a file and what it includes, with the process's environment. */
    public static ProxyConfig load(Path file) throws ConfigProblems {
        return load(file, System.getenv());
    }

    /**
     * Reads a file and what it includes: HOCON, or PgBouncer's form.
     *
     * @param environment for {@code ${NAME}} and {@code ${?NAME}}
     */
    public static ProxyConfig load(Path file, Map<String, String> environment) throws ConfigProblems {
        if (!Files.isRegularFile(file) || !Files.isReadable(file)) {
            throw new ConfigProblems(List.of(file + ": cannot be read"));
        }
        if (PgBouncerIni.is(file)) {
            return load(PgBouncerIni.read(file));
        }
        Path directory = file.toAbsolutePath().getParent();
        return read(
                () -> ConfigFactory.parseFile(file.toFile(), options()),
                new Place(file.toString(), 0),
                directory == null ? file.toAbsolutePath() : directory,
                environment);
    }

    /** The configuration that a {@code pgbouncer.ini} means. */
    public static ProxyConfig load(PgBouncerIni ini) throws ConfigProblems {
        Complaints complaints = new Complaints();
        for (Remark error : ini.errors()) {
            complaints.add(new Place(error.file(), error.line()), error.text());
        }
        Place source = new Place(ini.file(), 0);
        try {
            return read(ini.config(), source, Path.of("").toAbsolutePath(), complaints);
        } catch (ConfigProblems e) {
            List<String> problems = new ArrayList<>(e.problems());
            problems.add(source + ": was read as PgBouncer's pgbouncer.ini; see docs/pgbouncer.md");
            throw new ConfigProblems(problems);
        }
    }

    /** Reads text as if it were a file in the working directory. */
    public static ProxyConfig parse(String text) throws ConfigProblems {
        return read(
                () -> ConfigFactory.parseString(text, options().setOriginDescription("text")),
                new Place("text", 0),
                Path.of("").toAbsolutePath(),
                Map.of());
    }

    /**
     * The configuration of {@code pgproxy run --primary URL}: the URL's database under its name and every other one
     * through the wildcard, the URL's user with its password as the only user, and as admin.
     *
     * @param primary {@code postgres://user:password@host:port/dbname}
     * @param replicas URLs of which only the hosts count
     * @param listen {@code host:port}, a port, or the directory of a unix socket; null = the default
     */
    public static ProxyConfig fromUrls(String primary, List<String> replicas, @Nullable String listen)
            throws ConfigProblems {
        return UrlConfig.read(primary, replicas, listen);
    }

    private static ConfigParseOptions options() {
        return ConfigParseOptions.defaults().setSyntax(ConfigSyntax.CONF).setAllowMissing(false);
    }

    private static ProxyConfig read(
            Supplier<Config> parser, Place source, Path directory, Map<String, String> environment)
            throws ConfigProblems {
        Complaints complaints = new Complaints();
        ConfigObject root;
        try {
            root = parser.get()
                    .resolve(ConfigResolveOptions.noSystem().appendResolver(new Environment(environment)))
                    .root();
        } catch (ConfigException e) {
            complaints.add(place(e, source), SyntaxComplaint.of(e));
            complaints.check();
            throw new IllegalStateException(e);
        }
        return read(root, source, directory, complaints);
    }

    private static ProxyConfig read(ConfigObject root, Place source, Path directory, Complaints complaints)
            throws ConfigProblems {
        ProxyConfig config = new Blocks(root, new BlockReader(directory, complaints), complaints).read();
        new ConfigRules(config, source, complaints).check();
        complaints.check();
        return config;
    }

    private static Place place(ConfigException e, Place source) {
        ConfigOrigin origin = e.origin();
        return origin == null ? source : Place.of(origin);
    }

    /** Looks names up in the environment, and lets complaints say so. */
    private record Environment(Map<String, String> variables) implements ConfigResolver {
        @Override
        public @Nullable ConfigValue lookup(String path) {
            String value = variables.get(path);
            return value == null ? null : ConfigValueFactory.fromAnyRef(value, "environment variable " + path);
        }

        @Override
        public ConfigResolver withFallback(ConfigResolver fallback) {
            return this;
        }
    }
}
