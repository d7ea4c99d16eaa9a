package dev.pgproxy.warm;

import dev.pgproxy.client.ClientServices;
import dev.pgproxy.config.WarmQuery;
import dev.pgproxy.protocol.frame.BackendType;
import dev.pgproxy.protocol.frame.FrameReader;
import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoop;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/**
 * Asks one query so that its result is kept: what {@code EXPLAIN (ROUTE)} says of it is asked before, since what cannot be
 * kept need not be asked, and what is kept neither; and after it. Confined to its loop.
 */
final class WarmSession extends InsideSession {
    /** How often it is asked in a row: a large result is kept from its second time on. */
    private static final int MOST = 2;

    private final WarmQuery query;
    private final Map<String, String> explained = new HashMap<>();
    private boolean explaining;
    private int asked;

    WarmSession(WarmQuery query, EventLoop loop, Listener listener) {
        super(loop, listener);
        this.query = query;
    }

    void begin(ClientServices services) {
        begin(services, query.user(), query.database(), query.settings());
    }

    @Override
    void next() {
        if (!explaining) {
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

    /** Of an explanation: an item and what is said of it, both texts. */
    @Override
    void row(ByteBuf buf, int index) {
        if (!explaining) {
            return;
        }
        int at = index + FrameReader.HEADER + Short.BYTES;
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
