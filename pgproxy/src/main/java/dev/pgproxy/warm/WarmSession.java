package dev.pgproxy.warm;

import dev.pgproxy.client.ClientConnection;
import dev.pgproxy.client.ClientServices;
import dev.pgproxy.config.WarmQuery;
import dev.pgproxy.net.InsideChannel;
import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.frame.BackendType;
import dev.pgproxy.protocol.frame.FrameReader;
import dev.pgproxy.protocol.frame.FrameSink;
import dev.pgproxy.protocol.frontend.FrontendWriter;
import dev.pgproxy.protocol.startup.InitialMessage;
import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoop;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A client that asks one query so that its result is kept: what {@code EXPLAIN (ROUTE)} says of it is asked before, since
 * what cannot be kept need not be asked, and what is kept neither; and after it. Confined to its loop.
 */
final class WarmSession implements InsideChannel.Client, FrameSink {
    /** The result that says that all is well. */
    static final String KEPT = "kept";

    /** How often it is asked in a row: a large result is kept from its second time on. */
    private static final int MOST = 2;

    /** Is told how it ended. */
    @FunctionalInterface
    interface Listener {
        /** {@link #KEPT}, or why it is not. */
        void ended(String result);
    }

    private final WarmQuery query;
    private final EventLoop loop;
    private final Listener listener;
    private final InsideChannel channel = new InsideChannel(this);
    private final FrameReader reader = new FrameReader(this, channel.alloc());
    private final Map<String, String> explained = new HashMap<>();
    private @Nullable ErrorFields error;
    private boolean explaining;
    private int asked;
    private boolean ended;

    WarmSession(WarmQuery query, EventLoop loop, Listener listener) {
        this.query = query;
        this.loop = loop;
        this.listener = listener;
    }

    /** Connects; the end is told in any case. */
    void begin(ClientServices services) {
        channel.pipeline().addLast("client", new ClientConnection(services));
        loop.register(channel).addListener(done -> {
            if (done.isSuccess()) {
                login();
            } else {
                end(String.valueOf(done.cause()));
            }
        });
    }

    private void login() {
        Map<String, String> startup = new HashMap<>(query.settings());
        startup.put("user", query.user());
        startup.put("database", query.database());
        ByteBuf out = channel.alloc().buffer();
        FrontendWriter.startup(out, InitialMessage.VERSION_3_0, startup);
        channel.send(out);
    }

    @Override
    public void received(ByteBuf bytes) {
        if (ended) {
            bytes.release();
        } else {
            reader.read(bytes);
        }
    }

    @Override
    public void closed() {
        loop.execute(() -> end(error == null ? "the connection was closed" : shown(error)));
    }

    private static String shown(ErrorFields error) {
        return error.code() + ": " + error.message();
    }

    private void end(String result) {
        if (ended) {
            return;
        }
        ended = true;
        reader.close();
        if (channel.isOpen()) {
            ByteBuf out = channel.alloc().buffer();
            FrontendWriter.terminate(out);
            channel.send(out);
        }
        listener.ended(result);
    }

    /** The session waits for what comes next. */
    private void ready() {
        if (ended) {
            return;
        }
        if (error != null) {
            end(shown(error));
        } else if (!explaining) {
            explaining = true;
            explained.clear();
            send("EXPLAIN (ROUTE) " + query.query());
        } else if ("hit".equals(explained.get("cache"))) {
            end(KEPT);
        } else if (asked == MOST || !"miss".equals(explained.get("cache"))) {
            end(explained.getOrDefault("cache reason", "the cache is off"));
        } else {
            explaining = false;
            asked++;
            send(query.query());
        }
    }

    private void send(String text) {
        ByteBuf out = channel.alloc().buffer();
        FrontendWriter.query(out, text);
        channel.send(out);
    }

    // ---- FrameSink

    @Override
    public void frame(byte type, ByteBuf buf, int index, int length) {
        switch (type) {
            case BackendType.ERROR_RESPONSE -> error = error == null ? ErrorFields.read(buf, index, length) : error;
            case BackendType.DATA_ROW -> {
                if (explaining) {
                    explained(buf, index + FrameReader.HEADER);
                }
            }
            case BackendType.READY_FOR_QUERY -> loop.execute(this::ready);
            default -> {}
        }
    }

    /** A row of two texts: an item and what is said of it. */
    private void explained(ByteBuf buf, int index) {
        int at = index + Short.BYTES;
        int length = buf.getInt(at);
        String item = buf.toString(at + Integer.BYTES, length, StandardCharsets.UTF_8);
        at += Integer.BYTES + length;
        int behind = buf.getInt(at);
        if (behind > 0) {
            explained.put(item, buf.toString(at + Integer.BYTES, behind, StandardCharsets.UTF_8));
        }
    }

    @Override
    public boolean streams(byte type, int length) {
        return type == BackendType.DATA_ROW && !explaining;
    }
}
