package dev.pgproxy;

import dev.pgproxy.config.ConfigLoader;
import dev.pgproxy.config.ConfigProblems;
import dev.pgproxy.pgbouncer.PgBouncerIni;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/**
 * {@code pgproxy convert}: prints what a {@code pgbouncer.ini} means in pgproxy's own form, passwords included. Exit codes: 0
 * well, 78 the file is wrong. Confined to the thread that runs it.
 */
@Command(
        name = "convert",
        description = "Prints a pgbouncer.ini as pgproxy's configuration.",
        mixinStandardHelpOptions = true)
final class Convert implements Callable<Integer> {
    @Parameters(paramLabel = "FILE", description = "pgbouncer.ini; what it includes is read, too.")
    private Path file = Path.of("");

    @CommandLine.Spec
    private CommandLine.Model.@Nullable CommandSpec spec;

    @Override
    public Integer call() {
        CommandLine line = Objects.requireNonNull(spec).commandLine();
        try {
            PgBouncerIni ini = PgBouncerIni.read(file);
            ConfigLoader.load(ini); // only what can be used is printed
            line.getOut().print(ini.hocon());
            line.getOut().flush();
            return 0;
        } catch (ConfigProblems e) {
            line.getErr().println(e.getMessage());
            return Main.CONFIGURATION;
        }
    }
}
