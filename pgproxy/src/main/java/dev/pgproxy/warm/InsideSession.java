package dev.pgproxy.warm;

import dev.pgproxy.client.ClientConnection;
import dev.pgproxy.client.ClientServices;
import dev.pgproxy.net.InsideChannel;
import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.frame.BackendType;
import dev.pgproxy.protocol.frame.FrameReader;
import dev.pgproxy.protocol.frame.FrameSink;
import dev.pgproxy.protocol.frontend.FrontendWriter;
import dev.pgproxy.protocol.startup.InitialMessage;
import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoop;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A client within the process, one step after the other until one fails. Confined to its loop. */
abstract class InsideSession implements InsideChannel.Client, FrameSink {
    /** The result that says that all is well. */
    static final String KEPT = "kept";

    /** Is told how it ended. */
    @FunctionalInterface
    interface Listener {
        /** {@link #KEPT}, or why it is not. */
        void ended(String result);
    }

    private final EventLoop loop;
    private final Listener listener;
    private final InsideChannel channel = new InsideChannel(this);
    private final FrameReader reader = new FrameReader(this, channel.alloc());
    private @Nullable ClientConnection client;
    private @Nullable ErrorFields error;
    private boolean ended;

    InsideSession(EventLoop loop, Listener listener) {
        this.loop = loop;
        this.listener = listener;
    }

    /** Connects; the end is told in any case. */
    final void begin(ClientServices services, String user, String database, Map<String, String> settings) {
        ClientConnection connection = new ClientConnection(services);
        client = connection;
        channel.pipeline().addLast("client", connection);
        loop.register(channel).addListener(done -> {
            if (done.isSuccess()) {
                Map<String, String> startup = new HashMap<>(settings);
                startup.put("user", user);
                startup.put("database", database);
                ByteBuf out = channel.alloc().buffer();
                FrontendWriter.startup(out, InitialMessage.VERSION_3_0, startup);
                channel.send(out);
            } else {
                end(String.valueOf(done.cause()));
            }
        });
    }

    /** It is the next step's turn: {@link #send} or {@link #end}. */
    abstract void next();

    /** A row of the answer to the last step. */
    void row(ByteBuf buf, int index) {}

    /** Another message of the answer to the last step. */
    void other(byte type, ByteBuf buf, int index) {}

    /** Whether the next step comes all the same after this error. */
    boolean survives(ErrorFields failure) {
        return false;
    }

    /** How the proxy sees it; once it has begun. */
    final ClientConnection client() {
        return Objects.requireNonNull(client);
    }

    final ByteBuf buffer() {
        return channel.alloc().buffer();
    }

    /** Messages, whose ownership it gives up. */
    final void send(ByteBuf messages) {
        channel.send(messages);
    }

    final void send(String query) {
        ByteBuf out = buffer();
        FrontendWriter.query(out, query);
        send(out);
    }

    final void send(byte[] messages, int from) {
        channel.send(channel.alloc().buffer().writeBytes(messages, from, messages.length - from));
    }

    final void end(String result) {
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

    @Override
    public final void received(ByteBuf bytes) {
        if (ended) {
            bytes.release();
        } else {
            reader.read(bytes);
        }
    }

    @Override
    public final void closed() {
        loop.execute(() -> end(error == null ? "the connection was closed" : shown(error)));
    }

    private static String shown(ErrorFields error) {
        return error.code() + ": " + error.message();
    }

    private void ready() {
        ErrorFields failure = error;
        if (ended) {
            return;
        }
        if (failure != null && !survives(failure)) {
            end(shown(failure));
        } else {
            error = null;
            next();
        }
    }

    // ---- FrameSink

    @Override
    public final void frame(byte type, ByteBuf buf, int index, int length) {
        switch (type) {
            case BackendType.ERROR_RESPONSE -> error = error == null ? ErrorFields.read(buf, index, length) : error;
            case BackendType.DATA_ROW -> row(buf, index);
            case BackendType.READY_FOR_QUERY -> loop.execute(this::ready);
            default -> other(type, buf, index);
        }
    }
}
