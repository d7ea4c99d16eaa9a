package dev.pgproxy.testing;

import io.netty.channel.epoll.Epoll;
import io.netty.channel.unix.DomainDatagramSocketAddress;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.channel.unix.Socket;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.Callable;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;

/** Where a process says that it is ready, as systemd has it: NOTIFY_SOCKET. Confined to its test's thread. */
public final class NotifySocket implements AutoCloseable {
    private final Socket socket;

    /** Opens it: a path, or the name of an abstract socket behind an {@code @}. */
    public NotifySocket(String name) throws IOException {
        Epoll.ensureAvailability();
        socket = Socket.newSocketDomainDgram();
        socket.bind(new DomainSocketAddress(name.startsWith("@") ? "\0" + name.substring(1) : name));
    }

    /** What is said next. */
    public String await() {
        Callable<@Nullable String> next = this::poll;
        return Awaitility.await("a datagram").atMost(Duration.ofSeconds(60)).until(next, text -> text != null);
    }

    private @Nullable String poll() throws IOException {
        ByteBuffer buffer = ByteBuffer.allocateDirect(256);
        DomainDatagramSocketAddress from = socket.recvFromDomainSocket(buffer, 0, buffer.capacity());
        if (from == null) {
            return null;
        }
        byte[] text = new byte[from.receivedAmount()];
        buffer.get(0, text);
        return new String(text, StandardCharsets.UTF_8);
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
