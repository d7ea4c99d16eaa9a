package dev.pgproxy;

import dev.pgproxy.config.ConfigProblems;
import dev.pgproxy.config.ConfigSource;
import dev.pgproxy.config.ProxyConfig;
import dev.pgproxy.handover.Activation;
import dev.pgproxy.handover.Readiness;
import dev.pgproxy.pgbouncer.Remark;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code pgproxy run}, with the options that PgBouncer has too. Confined to the thread that runs it, but for RELOAD. */
@Command(
        name = "run",
        description = "Starts the proxy.",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class)
final class Run implements Callable<Integer> {
    private static final Logger LOG = LoggerFactory.getLogger(Run.class);

    @Mixin
    private ConfigSource source = new ConfigSource();

    @Option(
            names = {"-v", "--verbose"},
            description = "Log more, whatever log_level is; -v -v = everything.")
    private boolean[] verbose = {};

    @Option(
            names = {"-q", "--quiet"},
            description = "Log to logfile alone; without one, errors only, whatever log_level is.")
    private boolean quiet;

    @Option(
            names = {"-u", "--user"},
            paramLabel = "NAME",
            description = "Start only if it is this user who starts it.")
    private @Nullable String user;

    @Option(
            names = {"-d", "--daemon"},
            hidden = true)
    private boolean daemon;

    @Option(
            names = {"-R", "--reboot"},
            hidden = true)
    private boolean reboot;

    @CommandLine.Spec
    private CommandLine.Model.@Nullable CommandSpec spec;

    @Override
    public Integer call() throws InterruptedException {
        PrintWriter err = Objects.requireNonNull(spec).commandLine().getErr();
        String other = otherwise();
        if (other != null) {
            err.println("pgproxy: " + other);
            return CommandLine.ExitCode.USAGE;
        }
        CompletableFuture<PgProxy> started = new CompletableFuture<>();
        PgProxy proxy;
        @Nullable PidFile pidFile;
        try {
            ProxyConfig config = read();
            pidFile = pidFile(config);
            List<Integer> descriptors = Activation.descriptors(
                    System.getenv(), ProcessHandle.current().pid());
            Signals.obey(started); // clients may come, and signals, before all of it has started
            proxy = PgProxy.start(config, this::read, descriptors);
            if (pidFile != null) {
                pidFile.write();
            }
        } catch (ConfigProblems e) {
            err.println(e.getMessage());
            return Main.CONFIGURATION;
        } catch (IOException e) {
            err.println("pgproxy: " + e.getMessage());
            return Main.FAILED;
        }
        started.complete(proxy);
        Readiness.tell(System.getenv());
        CountDownLatch stopped = new CountDownLatch(1);
        proxy.stopped().thenRun(stopped::countDown);
        try {
            stopped.await();
        } finally {
            if (pidFile != null) {
                pidFile.close();
            }
        }
        return 0;
    }

    /** Null if none is configured. Where this process takes over from another, that one's file is there. */
    private static @Nullable PidFile pidFile(ProxyConfig config) throws IOException {
        Path path = config.runtime().pidfile();
        PidFile file = path == null ? null : new PidFile(path);
        if (file != null && config.listen().handoverSocket() == null) {
            file.check();
        }
        return file;
    }

    /** What to do in place of an option of PgBouncer that pgproxy does not have; null if all is well. */
    private @Nullable String otherwise() {
        if (daemon) {
            return "-d: pgproxy stays in the foreground; start it by a systemd unit, or by: setsid pgproxy run FILE"
                    + " >pgproxy.log 2>&1 &";
        }
        if (reboot) {
            return "-R: set handover_socket in pgproxy's own configuration (pgproxy convert writes it), then every start"
                    + " takes over from the process that runs";
        }
        String name = System.getProperty("user.name", "");
        if (user != null && !user.equals(name)) {
            return "-u: pgproxy stays the user who starts it, which is " + name + "; start it as " + user
                    + ", by User= of its systemd unit or by runuser";
        }
        return null;
    }

    /** For the start and for each RELOAD. */
    private ProxyConfig read() throws ConfigProblems {
        ProxyConfig config = source.load(System.getenv());
        if (verbose.length > 0) {
            config = config.with("log_level", verbose.length > 1 ? "trace" : "debug");
        } else if (quiet && config.log().logfile() == null) {
            config = config.with("log_level", "error");
        }
        Logging.apply(config.log());
        if (quiet && config.log().logfile() != null) {
            Logging.leaveStandardError();
        }
        for (Remark remark : source.remarks()) {
            if (remark.kind() == Remark.Kind.DIFFERENT) {
                LOG.warn("no equivalent: {}", remark);
            } else {
                LOG.info("not needed: {}", remark);
            }
        }
        return config;
    }
}
