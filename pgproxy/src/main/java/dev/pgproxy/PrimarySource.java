package dev.pgproxy;

import dev.pgproxy.config.ConfigProblems;
import dev.pgproxy.config.ConfigSource;
import dev.pgproxy.config.DatabaseSettings;
import dev.pgproxy.config.ProxyConfig;
import dev.pgproxy.config.Secret;
import dev.pgproxy.health.probe.ControlTarget;
import dev.pgproxy.route.ControlLogin;
import dev.pgproxy.routing.Host;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The primary of one database, as options of commands that change something there (a Picocli mixin). Filled once by Picocli. */
final class PrimarySource {
    @Mixin
    private ConfigSource source = new ConfigSource();

    @Option(
            names = "--database",
            paramLabel = "NAME",
            description = "Which of the configuration's databases; not needed with --primary, or if there is only one.")
    private @Nullable String name;

    /**
     * Where it is.
     *
     * @param asker as whom to log in there; null for control_user, or the user of the URL
     * @throws CommandLine.ParameterException if the options do not say
     */
    ControlTarget target(CommandLine line, @Nullable ControlLogin asker) throws ConfigProblems, IOException {
        ProxyConfig config = source.load(System.getenv());
        DatabaseSettings database = database(config, line);
        ControlLogin login = asker == null ? Secrets.read(config).controlLogin(config.auth()) : asker;
        if (login == null) {
            throw usage(line, "control_user is not set: give --primary with a user who owns the tables");
        }
        if (database.primary().isPatroni()) {
            throw usage(line, "Patroni tells where the primary is: give --primary with its address");
        }
        if (database.primary().isUnixSocket()) {
            throw usage(line, "the primary is a unix socket: give --primary with its address over TCP");
        }
        String asked = name == null ? database.name() : name;
        return login.target(
                new Host(0, database.primary().toString(), 1),
                database.primary(),
                database.serverDatabase(asked),
                config.serverTls(),
                null);
    }

    private DatabaseSettings database(ProxyConfig config, CommandLine line) {
        DatabaseSettings wildcard = config.wildcard();
        DatabaseSettings named = name == null ? null : config.databases().getOrDefault(name, wildcard);
        if (name == null && config.databases().size() == 1) {
            named = config.databases().values().iterator().next();
        }
        if (named == null) {
            throw usage(line, "which database? Give --database, or --primary with a URL");
        }
        return named;
    }

    private static CommandLine.ParameterException usage(CommandLine line, String message) {
        return new CommandLine.ParameterException(line, message);
    }

    /**
     * As somebody else, whose password the environment knows, if nobody has typed it.
     *
     * @param typed null if it was not asked for
     */
    static ControlLogin as(String user, char @Nullable [] typed) {
        String known = System.getenv("PGPASSWORD");
        String password = typed == null ? known : new String(typed);
        return new ControlLogin(user, new Secret(password == null ? "" : password));
    }
}
