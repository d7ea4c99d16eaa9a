package dev.pgproxy.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.demo.EmbeddedPostgres;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Signals to processes that are not ours to end. */
public final class Signals {
    private Signals() {}

    /** Sends one, such as {@code STOP}, to all of these, which must be there. */
    public static void send(String name, List<Long> processes) throws Exception {
        assertThat(sendToThoseLeft(name, processes)).isZero();
    }

    /** The same, though some may have ended by now: then not 0. */
    public static int sendToThoseLeft(String name, List<Long> processes) throws Exception {
        List<String> command = new ArrayList<>(List.of("kill", "-" + name));
        processes.forEach(pid -> command.add(pid.toString()));
        return new ProcessBuilder(command).inheritIO().start().waitFor();
    }

    /** A server's postmaster, and then all of its children. */
    public static List<Long> processesOf(EmbeddedPostgres server) {
        ProcessHandle postmaster = ProcessHandle.of(server.pid().orElseThrow()).orElseThrow();
        return Stream.concat(Stream.of(postmaster), postmaster.descendants())
                .map(ProcessHandle::pid)
                .toList();
    }
}
