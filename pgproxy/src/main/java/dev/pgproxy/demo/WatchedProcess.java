package dev.pgproxy.demo;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A server process that does not outlive the JVM. A small shell stands between the two: it reads signal names from a pipe and
 * sends them on, and when the pipe ends because the JVM is gone, however it went, it sends SIGINT. (The parent-death signal of
 * {@code setpriv} would not do: it fires when the <em>thread</em> that started the server ends, and exists on Linux only.)
 * Thread-safe.
 */
final class WatchedProcess {
    /** Ignores HUP and INT of the terminal itself, so that it lives to see the pipe's end. */
    private static final String WATCH = """
            trap '' HUP INT
            exec 3<&0
            "$@" 3<&- </dev/null &
            server=$!
            (
              while read -r signal <&3; do kill -s "$signal" "$server"; done
              kill -s INT "$server"
            ) &
            watch=$!
            exec 3<&-
            wait "$server"
            status=$?
            exec 2>/dev/null
            kill "$watch"
            wait "$watch"
            exit "$status"
            """;

    private final Process shell;

    private WatchedProcess(Process shell) {
        this.shell = shell;
    }

    /** In a session of its own where possible: Ctrl-C at the terminal is for the JVM, which stops its servers in order. */
    static WatchedProcess start(ServerAccount account, Path home, List<String> command, Path log) throws IOException {
        List<String> words = new ArrayList<>(List.of("sh", "-c", WATCH, "sh"));
        words.addAll(command);
        ProcessBuilder builder = account.prepare(home, words);
        if (ServerAccount.onPath("setsid")) {
            builder.command().addFirst("setsid");
        }
        return new WatchedProcess(builder.redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .start());
    }

    /** Sends a signal ({@code INT}, {@code HUP} …); a server that is already gone gets none. */
    synchronized void signal(String name) {
        try {
            OutputStream pipe = shell.getOutputStream();
            pipe.write((name + "\n").getBytes(StandardCharsets.US_ASCII));
            pipe.flush();
        } catch (IOException e) {
            if (shell.isAlive()) {
                throw new ClusterException("A server does not take signals: " + Reasons.of(e) + ".", e);
            }
        }
    }

    boolean isAlive() {
        return shell.isAlive();
    }

    /** Waits for the end; false after the time given. */
    boolean awaitExit(Duration limit) {
        try {
            return shell.waitFor(limit.toNanos(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ClusterException("Interrupted while a server started or stopped.", e);
        }
    }
}
