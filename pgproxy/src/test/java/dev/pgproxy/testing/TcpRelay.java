package dev.pgproxy.testing;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Stands before a server, passes bytes on, and remembers how each connection began. Thread-safe. */
public final class TcpRelay implements AutoCloseable {
    /** Length and code, as of CancelRequest and SSLRequest. */
    private static final int HEAD = 8;

    private final ServerSocket listener;
    private final String host;
    private final int port;
    private final List<Integer> codes = new CopyOnWriteArrayList<>();

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
            if (head.length == HEAD) {
                codes.add(ByteBuffer.wrap(head).getInt(4));
            }
            server.getOutputStream().write(head);
            Thread back = Thread.ofVirtual().start(() -> pump(server, client));
            pump(client, server);
            back.join();
        } catch (IOException gone) {
            return;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
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
