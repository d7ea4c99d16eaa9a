package dev.pgproxy.cache.redis;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.Arrays;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.locks.LockSupport;

/** Passes TCP connections on, and can delay what they carry, hold it back, or cut them. */
public final class DelayingProxy implements AutoCloseable {
    /** Some bytes, and when they are to be passed on. */
    private record Piece(byte[] bytes, long due) {}

    private final ServerSocket listening;
    private final int target;
    private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
    private volatile long delay;
    private volatile boolean held;
    private volatile boolean refusing;

    /** To this port of this machine. */
    public DelayingProxy(int target) throws IOException {
        this.target = target;
        this.listening = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        thread(this::accept);
    }

    private static void thread(Runnable run) {
        Thread.ofVirtual().start(run);
    }

    /** Where it listens. */
    public int port() {
        return listening.getLocalPort();
    }

    RedisSettings settings(String namespace) {
        return new RedisSettings("redis://127.0.0.1:" + port(), null, null, null, namespace, Duration.ofSeconds(2));
    }

    /** Everything takes so long from now, in each direction. */
    public void delay(long millis) {
        delay = millis * 1_000_000;
    }

    /** Nothing arrives until {@link #release}: then all of it does, in order. */
    public void hold() {
        held = true;
    }

    public void release() {
        held = false;
    }

    /** Connections end now; new ones are refused or not. */
    public void cut(boolean refuse) {
        refusing = refuse;
        sockets.forEach(DelayingProxy::end);
    }

    private void accept() {
        try {
            while (true) {
                Socket client = listening.accept();
                if (refusing) {
                    end(client);
                    continue;
                }
                Socket server = new Socket();
                try {
                    server.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), target));
                } catch (IOException e) {
                    end(client);
                    continue;
                }
                sockets.add(client);
                sockets.add(server);
                client.setTcpNoDelay(true);
                server.setTcpNoDelay(true);
                pass(client, server);
                pass(server, client);
            }
        } catch (IOException e) {
            // closed
        }
    }

    private void pass(Socket from, Socket to) {
        BlockingQueue<Piece> pieces = new LinkedBlockingQueue<>();
        thread(() -> {
            byte[] buffer = new byte[65536];
            try (InputStream in = from.getInputStream()) {
                for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                    pieces.add(new Piece(Arrays.copyOf(buffer, read), System.nanoTime() + delay));
                }
            } catch (IOException e) {
                // cut
            }
            pieces.add(new Piece(new byte[0], System.nanoTime() + delay));
        });
        thread(() -> {
            try (OutputStream out = to.getOutputStream()) {
                while (true) {
                    Piece piece = pieces.take();
                    while (held || piece.due() - System.nanoTime() > 0) {
                        LockSupport.parkNanos(200_000);
                    }
                    if (piece.bytes().length == 0) {
                        break;
                    }
                    out.write(piece.bytes());
                }
            } catch (IOException e) {
                // cut
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            end(from);
            end(to);
        });
    }

    private static void end(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            // it is gone then
        }
    }

    @Override
    public void close() throws IOException {
        listening.close();
        held = false;
        cut(true);
    }
}
