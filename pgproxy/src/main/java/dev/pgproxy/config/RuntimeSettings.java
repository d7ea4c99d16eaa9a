package dev.pgproxy.config;

/**
 * How the program runs. Immutable.
 *
 * @param threads event loops; 0 = chosen from the processors
 * @param transport which system interface carries the sockets
 */
public record RuntimeSettings(int threads, TransportChoice transport) {
    static final SettingGroup GROUP = new SettingGroup("Runtime");
    static final Setting<Integer> THREADS = GROUP.fixed(
            "threads", SettingTypes.integer(0, 1024), 0, "Event loops; 0 = chosen from the machine's processors.");
    static final Setting<TransportChoice> TRANSPORT = GROUP.fixed(
            "transport",
            SettingTypes.choice(TransportChoice.class),
            TransportChoice.AUTO,
            "What carries the sockets: auto = the best the machine allows, or io_uring, epoll, nio.");

    static RuntimeSettings from(SettingValues values) {
        return new RuntimeSettings(values.get(THREADS), values.get(TRANSPORT));
    }
}
