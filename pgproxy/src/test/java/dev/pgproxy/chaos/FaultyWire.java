package dev.pgproxy.chaos;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/** Carries TCP connections to a server, and does to them what networks do. Thread-safe. */
final class FaultyWire implements AutoCloseable {
    /** Bytes of a message behind its type: its length. */
    private static final int LENGTH_AT = 1;

    private record Piece(byte[] bytes, long due) {}

    private final ServerSocket listening;
    private final int target;

    /** Sockets to clients, and those to the server that belong to them. */
    private final Map<Socket, Socket> carried = new ConcurrentHashMap<>();

    private final AtomicInteger toCorrupt = new AtomicInteger();
    private volatile long delay;
    private volatile int bytesPerSecond;
    private volatile boolean held;
    private volatile boolean lossy;
    private volatile boolean refusing;

    FaultyWire(int target) throws IOException {
        this(target, 0, InetAddress.getLoopbackAddress());
    }

    /** At this place. */
    FaultyWire(int target, int port, InetAddress at) throws IOException {
        this.target = target;
        this.listening = new ServerSocket(port, 200, at);
        Thread.ofVirtual().start(this::accept);
    }

    /** Where it listens. */
    int port() {
        return listening.getLocalPort();
    }

    /** Everything takes so long from now, in each direction; 0 = as it is. */
    void delay(int millis) {
        delay = millis * 1_000_000L;
    }

    /** So many bytes pass in a second, on each connection; 0 = as many as can. */
    void throttle(int bytes) {
        bytesPerSecond = bytes;
    }

    /** Nothing arrives until it is released: then all of it does, in order. */
    void hold(boolean on) {
        held = on;
    }

    /** What is carried meanwhile is lost, as no TCP would do it; connections end with it. */
    void drop(boolean on) {
        lossy = on;
        if (!on) {
            cut();
        }
    }

    /** New connections end at once. */
    void refuse(boolean on) {
        refusing = on;
    }

    /** All connections are reset. */
    void cut() {
        carried.forEach((client, server) -> {
            reset(client);
            reset(server);
        });
    }

    /** The server seems to say nothing more, but still listens. */
    void halfClose() {
        carried.keySet().forEach(client -> {
            try {
                client.shutdownOutput();
            } catch (IOException e) {
                reset(client);
            }
        });
    }

    /** The next answers of the server, so many, begin with a length that no message has. */
    void corrupt(int answers) {
        toCorrupt.set(answers);
    }

    /** As if nothing had ever been. */
    void mend() {
        delay(0);
        throttle(0);
        hold(false);
        refuse(false);
        corrupt(0);
        if (lossy) {
            drop(false);
        }
    }

    private void accept() {
        while (!listening.isClosed()) {
            try {
                Socket client = listening.accept();
                Thread.ofVirtual().start(() -> carry(client));
            } catch (IOException e) {
                // closed, or this one is gone already
            }
        }
    }

    private void carry(Socket client) {
        Socket server = new Socket();
        try {
            if (refusing) {
                reset(client);
                return;
            }
            server.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), target));
            client.setTcpNoDelay(true);
            server.setTcpNoDelay(true);
        } catch (IOException e) {
            reset(client);
            return;
        }
        carried.put(client, server);
        pass(client, server, false);
        pass(server, client, true);
    }

    private void pass(Socket from, Socket to, boolean answers) {
        BlockingQueue<Piece> pieces = new LinkedBlockingQueue<>(4096);
        Thread.ofVirtual().start(() -> read(from, pieces, answers));
        Thread.ofVirtual().start(() -> write(pieces, from, to));
    }

    private void read(Socket from, BlockingQueue<Piece> pieces, boolean answers) {
        try {
            byte[] buffer = new byte[65536];
            try {
                InputStream in = from.getInputStream();
                for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                    byte[] bytes = Arrays.copyOf(buffer, read);
                    if (answers && read > LENGTH_AT + 4 && toCorrupt.getAndUpdate(n -> Math.max(0, n - 1)) > 0) {
                        Arrays.fill(bytes, LENGTH_AT, LENGTH_AT + 4, (byte) 0x7f);
                    }
                    if (!lossy) {
                        pieces.put(new Piece(bytes, System.nanoTime() + delay));
                    }
                }
            } catch (IOException e) {
                // cut: the other side is told in its turn
            }
            pieces.put(new Piece(new byte[0], System.nanoTime() + delay));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void write(BlockingQueue<Piece> pieces, Socket from, Socket to) {
        try {
            OutputStream out = to.getOutputStream();
            while (true) {
                Piece piece = pieces.take();
                while (held || piece.due() - System.nanoTime() > 0) {
                    LockSupport.parkNanos(200_000);
                }
                if (piece.bytes().length == 0) {
                    break;
                }
                int rate = bytesPerSecond;
                if (rate > 0) {
                    LockSupport.parkNanos(1_000_000_000L * piece.bytes().length / rate);
                }
                out.write(piece.bytes());
            }
        } catch (IOException e) {
            // cut
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        carried.remove(from);
        carried.remove(to);
        close(from);
        close(to);
    }

    private static void close(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            // it is gone then
        }
    }

    private static void reset(Socket socket) {
        try {
            socket.setSoLinger(true, 0);
        } catch (IOException e) {
            // it is gone then
        }
        close(socket);
    }

    @Override
    public void close() {
        try {
            listening.close();
        } catch (IOException e) {
            // it does not listen then
        }
        mend();
        cut();
    }
}
