package dev.pgproxy.handover;

import io.netty.channel.epoll.Epoll;
import io.netty.channel.unix.Socket;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tells systemd, or who does as it does, that this process serves: {@code Type=notify}. Stateless. Source: sd_notify(3). */
public final class Readiness {
    private static final Logger LOG = LoggerFactory.getLogger(Readiness.class);
    private static final byte[] READY = "READY=1\n".getBytes(StandardCharsets.US_ASCII);

    private Readiness() {}

    /** Sends one datagram, if the environment names somebody who waits for it. Who cannot be told is none of the clients' worries. */
    public static void tell(Map<String, String> environment) {
        String name = environment.getOrDefault("NOTIFY_SOCKET", "");
        if (name.isEmpty()) {
            return;
        }
        try {
            Epoll.ensureAvailability(); // loads what opens the socket
            send(name);
        } catch (IOException | UnsatisfiedLinkError e) {
            LOG.warn("cannot say READY=1 at NOTIFY_SOCKET {}: {}", name, e.toString());
        }
    }

    private static void send(String name) throws IOException {
        byte[] address = name.getBytes(StandardCharsets.UTF_8);
        if (address[0] == '@') {
            address[0] = 0; // abstract: of no file
        }
        Socket socket = Socket.newSocketDomainDgram();
        try {
            ByteBuffer message = ByteBuffer.allocateDirect(READY.length).put(READY);
            socket.sendToDomainSocket(message, 0, READY.length, address);
        } finally {
            socket.close();
        }
    }
}
