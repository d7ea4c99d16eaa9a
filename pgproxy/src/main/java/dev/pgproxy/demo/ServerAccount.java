package dev.pgproxy.demo;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * The account that PostgreSQL's programs run under. They refuse to run as root, so that root hands them to "nobody", or to a user
 * namespace without a mapping, by whichever tool the machine has and allows. Immutable.
 *
 * @param name what is shown when none works
 * @param prefix the words in front of a command; empty where the JVM's own account serves
 * @param uid the owner that its files must have; without meaning for the JVM's own account
 */
record ServerAccount(String name, List<String> prefix, int uid) {
    private static final int NOBODY = 65534;

    /** The JVM's own. */
    static final ServerAccount CURRENT = new ServerAccount("the current user", List.of(), -1);

    private static final List<ServerAccount> CANDIDATES = List.of(
            CURRENT,
            new ServerAccount(
                    "setpriv",
                    List.of("setpriv", "--reuid=" + NOBODY, "--regid=" + NOBODY, "--clear-groups", "--"),
                    NOBODY),
            new ServerAccount("runuser", List.of("runuser", "-u", "nobody", "--"), NOBODY),
            new ServerAccount("unshare", List.of("unshare", "-U", "--"), 0));

    /** Fails as root (user id 0), where the directory is not ours to write, and where the programs do not run. */
    private static final String PROBE = """
            test "$(id -u)" != 0 || { echo "PostgreSQL refuses to run as root"; exit 1; }
            cd "$1" && : > .probe && rm .probe && "$2" --version
            """;

    /** The first account under which the server may own {@code directory}, which exists and holds a cluster or nothing. */
    static ServerAccount forDirectory(Path directory, PostgresBinaries binaries) {
        List<String> failures = new ArrayList<>();
        for (ServerAccount account : CANDIDATES) {
            try {
                account.takeIfEmpty(directory);
                account.run(
                        directory,
                        List.of(
                                "sh",
                                "-c",
                                PROBE,
                                "sh",
                                directory.toString(),
                                binaries.program("postgres").toString()));
                return account;
            } catch (IOException e) {
                failures.add(account.name + ": "
                        + Reasons.of(e).strip().lines().findFirst().orElse("refused"));
            }
        }
        throw new ClusterException(
                "No account here can run PostgreSQL in " + directory + " (" + String.join("; ", failures)
                        + "); use a directory of your own, or, as root, one that user nobody can reach.");
    }

    private void takeIfEmpty(Path directory) throws IOException {
        if (!Files.exists(directory.resolve("PG_VERSION"))) {
            own(directory);
        }
    }

    /** Hands a file over to this account. */
    void own(Path file) throws IOException {
        if (!prefix.isEmpty()) {
            Files.setAttribute(file, "unix:uid", uid);
        }
    }

    /** Runs a command to its end; throws with its output when it fails or takes longer than a minute. */
    void run(Path home, List<String> command) throws IOException {
        Process process = prepare(home, command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String output;
        try (InputStream in = process.getInputStream()) {
            output = new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
        try {
            if (!process.waitFor(1, TimeUnit.MINUTES)) {
                process.destroyForcibly();
                throw new IOException(command.getFirst() + " did not end");
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
        if (process.exitValue() != 0) {
            throw new IOException(output.isBlank() ? "exit code " + process.exitValue() : output);
        }
    }

    /**
     * A command under this account. HOME is set because libpq looks there for certificates; the user's own PG variables would
     * change what the server does.
     */
    ProcessBuilder prepare(Path home, List<String> command) {
        List<String> words = new ArrayList<>(prefix);
        words.addAll(command);
        ProcessBuilder builder = new ProcessBuilder(words).directory(home.toFile());
        builder.environment().keySet().removeIf(name -> name.startsWith("PG"));
        builder.environment().put("HOME", home.toString());
        builder.environment().put("LC_ALL", "C");
        return builder;
    }

    /** Whether a program of this name can be executed. */
    static boolean onPath(String program) {
        String path = System.getenv().getOrDefault("PATH", "");
        return List.of(path.split(File.pathSeparator)).stream()
                .anyMatch(dir -> Files.isExecutable(Path.of(dir.isEmpty() ? "." : dir, program)));
    }
}
