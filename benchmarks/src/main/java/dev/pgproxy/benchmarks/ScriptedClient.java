package dev.pgproxy.benchmarks;

import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.frame.CString;
import dev.pgproxy.protocol.frame.FrameReader;
import dev.pgproxy.protocol.frame.FrameSink;
import dev.pgproxy.protocol.frame.FrontendType;
import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.protocol.sql.SqlAnalyzer;
import dev.pgproxy.query.ClientLink;
import dev.pgproxy.query.QueryFlow;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import org.jspecify.annotations.Nullable;

/** What a client's query phase does with whole messages, without a connection around it. Confined to one thread. */
final class ScriptedClient implements FrameSink, ClientLink {
    private final Channel channel;
    private final SqlAnalyzer analyzer = new SqlAnalyzer();
    private final FrameReader reader;
    private @Nullable QueryFlow flow;
    private boolean reading;

    ScriptedClient(Channel channel) {
        this.channel = channel;
        this.reader = new FrameReader(this, channel.alloc());
    }

    void flow(QueryFlow made) {
        flow = made;
    }

    /** One read of the socket; takes the buffer. */
    void read(ByteBuf in) {
        reading = true;
        reader.read(in);
        reading = false;
        flow().readComplete();
    }

    private QueryFlow flow() {
        if (flow == null) {
            throw new IllegalStateException("no flow yet");
        }
        return flow;
    }

    @Override
    public void frame(byte type, ByteBuf buf, int index, int length) {
        QueryFacts facts = null;
        if (type == FrontendType.QUERY || type == FrontendType.PARSE) {
            int from = index + FrameReader.HEADER;
            if (type == FrontendType.PARSE) {
                from = CString.end(buf, from, index + length) + 1;
            }
            facts = analyzer.analyze(buf, from, CString.end(buf, from, index + length) - from, true, false);
        }
        flow().exchange().add(type, buf, index, length, facts);
        if (type == FrontendType.QUERY || type == FrontendType.SYNC) {
            flow().submit();
        }
    }

    @Override
    public void begin(ByteBuf buf, int index) {}

    @Override
    public void head(byte type, ByteBuf buf, int index, int length) {}

    @Override
    public void end(ByteBuf buf, int index) {}

    @Override
    public boolean streams(byte type, int length) {
        return false;
    }

    @Override
    public Channel channel() {
        return channel;
    }

    @Override
    public int processId() {
        return 1;
    }

    @Override
    public void pause() {
        throw new IllegalStateException("no server was free");
    }

    @Override
    public void resume() {}

    @Override
    public boolean isReading() {
        return reading;
    }

    @Override
    public boolean isMidFrame() {
        return reader.midFrame();
    }

    @Override
    public void skipToSync() {}

    @Override
    public void notice(String message) {
        throw new IllegalStateException(message);
    }

    @Override
    public void copying(boolean on) {}

    @Override
    public void settled() {}

    @Override
    public void end(@Nullable ErrorFields error) {
        throw new IllegalStateException(String.valueOf(error));
    }
}
