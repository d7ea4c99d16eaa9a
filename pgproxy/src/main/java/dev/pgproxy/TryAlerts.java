package dev.pgproxy;

import dev.pgproxy.alert.SinkTrial;
import dev.pgproxy.config.ConfigProblems;
import dev.pgproxy.config.ConfigSource;
import dev.pgproxy.config.ProxyConfig;
import java.io.PrintWriter;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/**
 * {@code pgproxy alert-test}: sends one alert to each webhook and to the mail server of the configuration, and prints who has
 * accepted it. Exit codes: 0 everybody, 1 somebody has not, 78 the configuration is wrong. Confined to the thread that runs it.
 */
@Command(
        name = "alert-test",
        description = "Sends a test alert to each sink of the configuration and prints whether it was accepted.",
        mixinStandardHelpOptions = true)
final class TryAlerts implements Callable<Integer> {
    @Mixin
    private ConfigSource source = new ConfigSource();

    @CommandLine.Spec
    private CommandLine.Model.@Nullable CommandSpec spec;

    @Override
    public Integer call() {
        CommandLine line = Objects.requireNonNull(spec).commandLine();
        ProxyConfig config;
        try {
            config = source.load(System.getenv());
        } catch (ConfigProblems e) {
            line.getErr().println(e.getMessage());
            return Main.CONFIGURATION;
        }
        PrintWriter out = line.getOut();
        List<SinkTrial> trials = SinkTrial.all(config.alerts());
        for (SinkTrial trial : trials) {
            String outcome = trial.isAccepted() ? "accepted" : "FAILED " + trial.problem();
            out.println(trial.sink() + " (" + trial.kind() + "): " + outcome);
        }
        if (trials.isEmpty()) {
            out.println("there is nobody to tell but the log: add alert_webhooks or alert_smtp");
        }
        out.flush();
        return trials.stream().allMatch(SinkTrial::isAccepted) ? 0 : Main.FAILED;
    }
}
