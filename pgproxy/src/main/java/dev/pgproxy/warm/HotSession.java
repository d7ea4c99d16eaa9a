package dev.pgproxy.warm;

import dev.pgproxy.client.ClientServices;
import dev.pgproxy.protocol.frame.BackendType;
import dev.pgproxy.protocol.frame.FrontendType;
import dev.pgproxy.results.HotRead;
import io.netty.channel.EventLoop;
import java.nio.ByteBuffer;
import java.util.Map;

/**
 * Asks a client's read again so that its result is kept: sets what the client's session had set, and asks twice, since a
 * large result is kept from its second time on and the second time of another costs nothing. Confined to its loop.
 */
final class HotSession extends InsideSession {
    private static final int MOST = 2;

    private final HotRead read;
    private int set;
    private int asked;

    HotSession(HotRead read, EventLoop loop, Listener listener) {
        super(loop, listener);
        this.read = read;
    }

    void begin(ClientServices services) {
        begin(services, read.user(), read.database(), Map.of());
    }

    @Override
    void next() {
        if (set < read.settings().size()) {
            send(read.settings().get(set++));
        } else if (asked == MOST) {
            end(KEPT);
        } else {
            byte[] messages = read.messages();
            boolean parsed = asked++ > 0 && messages[0] == FrontendType.PARSE;
            send(messages, parsed ? 1 + ByteBuffer.wrap(messages).getInt(1) : 0);
        }
    }

    @Override
    public boolean streams(byte type, int length) {
        return type == BackendType.DATA_ROW;
    }
}
