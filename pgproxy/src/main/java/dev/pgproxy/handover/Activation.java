package dev.pgproxy.handover;

import dev.pgproxy.net.ListeningSocket;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Sockets that systemd, or who does as it does, has opened for this process. Stateless. Source: sd_listen_fds(3). */
public final class Activation {
    private static final int FIRST = 3;
    private static final int O_NONBLOCK = 04000;

    private Activation() {}

    /**
     * The descriptors that the environment tells of; none if it speaks to another process.
     *
     * @throws IOException if it tells no number
     */
    public static List<Integer> descriptors(Map<String, String> environment, long pid) throws IOException {
        if (!Long.toString(pid).equals(environment.get("LISTEN_PID"))) {
            return List.of();
        }
        String count = environment.getOrDefault("LISTEN_FDS", "");
        if (!count.matches("\\d{1,4}")) {
            throw new IOException("LISTEN_PID is this process, but LISTEN_FDS is no number: '" + count + "'");
        }
        return IntStream.range(FIRST, FIRST + Integer.parseInt(count)).boxed().toList();
    }

    /**
     * What they are, in a list that may be changed.
     *
     * @throws IOException if one is no socket that listens
     */
    public static List<ListeningSocket> sockets(List<Integer> descriptors) throws IOException {
        List<ListeningSocket> sockets = new ArrayList<>();
        for (int descriptor : descriptors) {
            sockets.add(ListeningSocket.of(descriptor, false, isBlocking(descriptor)));
        }
        return sockets;
    }

    /** systemd clears O_NONBLOCK unless the service says NonBlocking=yes. Source: proc_pid_fdinfo(5). */
    private static boolean isBlocking(int descriptor) throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/fdinfo", Integer.toString(descriptor)))) {
            if (line.startsWith("flags:")) {
                String flags = line.substring("flags:".length()).strip();
                return (Integer.parseInt(flags, 8) & O_NONBLOCK) == 0;
            }
        }
        return true;
    }
}
