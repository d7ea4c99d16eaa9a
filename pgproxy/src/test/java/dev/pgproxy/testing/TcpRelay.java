package dev.pgproxy.testing;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Stands before a server, passes bytes on, and remembers how each connection began. It can be made to bar a user who does not
 * ask for TLS first. Thread-safe.
 */
public final class TcpRelay implements AutoCloseable {
    /** Length and code, as of CancelRequest and SSLRequest. */
    private static final int HEAD = 8;

    private final ServerSocket listener;
    private final String host;
    private final int port;
    private final List<Integer> codes = new CopyOnWriteArrayList<>();
    private final Set<Socket> held = ConcurrentHashMap.newKeySet();
    private final Map<Socket, String> startups = new ConcurrentHashMap<>();
    private final AtomicInteger turnedAway = new AtomicInteger();
    private volatile @Nullable Barrier barrier;

    /** @param answers whether connections are closed, and not left without an answer */
    private record Barrier(String user, boolean answers) {}

    private TcpRelay(String host, int port) throws IOException {
        this.listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        this.host = host;
        this.port = port;
        Thread.ofVirtual().start(this::accept);
    }

    public static TcpRelay to(String host, int port) {
        try {
            return new TcpRelay(host, port);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public int port() {
        return listener.getLocalPort();
    }

    /** The second four bytes of each connection, in the order of their arrival: a version, or the code of a request. */
    public List<Integer> codes() {
        return codes;
    }

    /** From now on the user cannot log in: the connection is closed behind the start-up message, or nothing more is said. */
    public void bar(String user, boolean answers) {
        barrier = new Barrier(user, answers);
    }

    /** Everybody may log in; who was left without an answer is cut off. */
    public void admit() {
        barrier = null;
        held.forEach(TcpRelay::closeQuietly);
    }

    /** How many logins were barred. */
    public int turnedAway() {
        return turnedAway.get();
    }

    /** Cuts the connections of a user off. */
    public void cut(String user) {
        startups.forEach((client, startup) -> {
            if (isOf(startup, user)) {
                closeQuietly(client);
            }
        });
    }

    private static boolean isOf(String startup, String user) {
        return startup.contains("user\0" + user + "\0");
    }

    /** Whether it is let through. */
    private boolean passes(Socket client, byte[] head, byte[] rest) {
        codes.add(ByteBuffer.wrap(head).getInt(4));
        String startup = new String(rest, StandardCharsets.UTF_8);
        startups.put(client, startup);
        Barrier now = barrier;
        if (now == null || !isOf(startup, now.user())) {
            return true;
        }
        turnedAway.incrementAndGet();
        return false;
    }

    private void turnAway(Socket client) throws IOException {
        Barrier now = barrier;
        if (now != null && !now.answers()) {
            held.add(client);
            client.getInputStream().transferTo(OutputStream.nullOutputStream()); // until somebody has had enough
            held.remove(client);
        }
    }

    private void accept() {
        try {
            while (true) {
                Socket client = listener.accept();
                Thread.ofVirtual().start(() -> carry(client));
            }
        } catch (IOException closed) {
            return;
        }
    }

    private void carry(Socket client) {
        try (client;
                Socket server = new Socket(host, port)) {
            byte[] head = client.getInputStream().readNBytes(HEAD);
            byte[] rest = {};
            if (head.length == HEAD) {
                rest = client.getInputStream().readNBytes(ByteBuffer.wrap(head).getInt() - HEAD);
                if (!passes(client, head, rest)) {
                    turnAway(client);
                    return;
                }
            }
            server.getOutputStream().write(head);
            server.getOutputStream().write(rest);
            Thread back = Thread.ofVirtual().start(() -> pump(server, client));
            pump(client, server);
            back.join();
        } catch (IOException gone) {
            return;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            startups.remove(client);
        }
    }

    private static void pump(Socket from, Socket to) {
        try {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            in.transferTo(out);
            to.shutdownOutput();
        } catch (IOException reset) {
            closeQuietly(to);
        }
    }

    private static void closeQuietly(Socket socket) {
        try {
            socket.close();
        } catch (IOException gone) {
            return;
        }
    }

    @Override
    public void close() {
        try {
            listener.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
