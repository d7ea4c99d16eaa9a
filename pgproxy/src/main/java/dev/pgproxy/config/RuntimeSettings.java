package dev.pgproxy.config;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * How the program runs. Immutable.
 *
 * @param threads event loops; 0 = chosen from the processors
 * @param transport which system interface carries the sockets
 * @param pidfile where the process writes its id while it runs; null = nowhere
 */
public record RuntimeSettings(
        int threads, TransportChoice transport, @Nullable Path pidfile) {
    static final SettingGroup GROUP = new SettingGroup("Runtime");
    static final Setting<Integer> THREADS = GROUP.fixed(
            "threads", SettingTypes.integer(0, 1024), 0, "Event loops; 0 = chosen from the machine's processors.");
    static final Setting<TransportChoice> TRANSPORT = GROUP.fixed(
            "transport",
            SettingTypes.choice(TransportChoice.class),
            TransportChoice.AUTO,
            "What carries the sockets: auto = the best the machine allows, or io_uring, epoll, nio.");
    static final Setting<Path> PIDFILE = GROUP.fixed(
            "pidfile",
            SettingTypes.path(),
            null,
            "File with the id of the process while it runs; it stops the start of a second one. Empty = none.");

    static RuntimeSettings from(SettingValues values) {
        return new RuntimeSettings(values.get(THREADS), values.get(TRANSPORT), values.find(PIDFILE));
    }
}
