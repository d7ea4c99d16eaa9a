package dev.pgproxy.config;

import java.util.Locale;

/** Which system interface carries the sockets. */
public enum TransportChoice {
    /** The best that the machine allows: io_uring before epoll before NIO, by measurement (docs/performance.md). */
    AUTO,
    /** Linux io_uring. */
    IO_URING,
    /** Linux epoll. */
    EPOLL,
    /** Java NIO, everywhere. */
    NIO;

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
