package dev.pgproxy;

import dev.pgproxy.demo.ClusterException;
import dev.pgproxy.demo.Demo;
import dev.pgproxy.demo.DemoOptions;
import dev.pgproxy.net.HostNames;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The command line. Exit codes: 0 well, 1 could not start, 2 wrong usage, 78 wrong configuration. */
@Command(
        name = "pgproxy",
        description = "A PostgreSQL proxy.",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        subcommands = {
            Run.class,
            Check.class,
            Prepare.class,
            Convert.class,
            TryAlerts.class,
            Main.RunDemo.class,
            InstallTriggers.class,
            Migrate.class
        })
public final class Main {
    static final int FAILED = 1;
    static final int CONFIGURATION = 78;

    private Main() {}

    /** Starts. */
    public static void main(String[] args) {
        HostNames.switchOffJavasMemory();
        System.exit(commandLine().execute(args));
    }

    /** What reads arguments. */
    static CommandLine commandLine() {
        return new CommandLine(new Main());
    }

    /** The version, from the jar's manifest. */
    static String version() {
        String version = Main.class.getPackage().getImplementationVersion();
        return version == null ? "(unpackaged)" : version;
    }

    /** What {@code --version} prints. */
    static final class Version implements CommandLine.IVersionProvider {
        @Override
        public String[] getVersion() {
            return new String[] {"pgproxy " + version()};
        }
    }

    /** {@code pgproxy demo}. */
    @Command(
            name = "demo",
            description = "Starts a PostgreSQL primary with replicas, loads demo data, and starts the proxy.",
            mixinStandardHelpOptions = true)
    static final class RunDemo implements Callable<Integer> {
        @Option(names = "--port", description = "Port of the proxy (default: ${DEFAULT-VALUE}).", defaultValue = "6432")
        private int port;

        @Option(
                names = "--http",
                description = "Port of the page, metrics and health over HTTP, 0 = none (default: ${DEFAULT-VALUE}).",
                defaultValue = "9127")
        private int httpPort;

        @Option(names = "--data-dir", description = "Where the servers keep their data (default: a temporary folder).")
        private @Nullable Path dataDirectory;

        @Option(
                names = "--replicas",
                description = "Number of replicas (default: ${DEFAULT-VALUE}).",
                defaultValue = "2")
        private int replicas;

        @Option(names = "--keep", description = "Keep the data when stopping, and use it again.")
        private boolean keep;

        @CommandLine.Spec
        private CommandLine.Model.@Nullable CommandSpec spec;

        @Override
        public Integer call() throws Exception {
            CommandLine line = java.util.Objects.requireNonNull(spec).commandLine();
            PrintWriter out = line.getOut();
            try {
                Demo demo = Demo.start(
                        new DemoOptions(port, httpPort, dataDirectory, replicas, keep),
                        new DemoProxy(() -> System.exit(0)),
                        text -> {
                            out.println(text);
                            out.flush();
                        });
                demo.awaitClosed();
                return 0;
            } catch (ClusterException | IOException e) {
                line.getErr().println("pgproxy: " + e.getMessage());
                return FAILED;
            }
        }
    }
}
