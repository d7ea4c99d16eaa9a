package dev.pgproxy.benchmarks;

import dev.pgproxy.PgProxy;
import dev.pgproxy.cancel.CancelForwarder;
import dev.pgproxy.config.ConfigLoader;
import dev.pgproxy.config.HostAddress;
import dev.pgproxy.config.PoolMode;
import dev.pgproxy.config.RuntimeSettings;
import dev.pgproxy.config.TransportChoice;
import dev.pgproxy.listen.Listeners;
import dev.pgproxy.net.HostNames;
import dev.pgproxy.net.Transport;
import dev.pgproxy.pool.Pool;
import dev.pgproxy.pool.PoolKey;
import dev.pgproxy.protocol.backend.BackendWriter;
import dev.pgproxy.protocol.backend.ColumnType;
import dev.pgproxy.protocol.frame.BackendType;
import dev.pgproxy.protocol.frontend.FrontendWriter;
import dev.pgproxy.protocol.sql.SqlAnalyzer;
import dev.pgproxy.query.FlowSettings;
import dev.pgproxy.query.PoolStatements;
import dev.pgproxy.query.QueryFlow;
import dev.pgproxy.query.Restraints;
import dev.pgproxy.query.StatementWatch;
import dev.pgproxy.route.Primaries;
import dev.pgproxy.rules.StatementRules;
import dev.pgproxy.server.ScriptedServer;
import dev.pgproxy.server.ServerConnection;
import dev.pgproxy.session.Reported;
import dev.pgproxy.session.Session;
import dev.pgproxy.session.Settings;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.channel.EventLoop;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.util.ReferenceCountUtil;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * One transaction of {@code pgbench -S} through the proxy without sockets: frames of the client, lease, the server's
 * bytes, a scripted reply, the client's bytes, release.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class RelayBenchmark {
    private static final String SQL = "SELECT abalance FROM pgbench_accounts WHERE aid = $1;";

    /** As pgbench's {@code -M}; "renamed" is prepared under another name than the server's. */
    @Param({"simple", "extended", "prepared", "renamed"})
    public String mode = "";

    private @Nullable PgProxy proxy;
    private @Nullable Transport transport;
    private @Nullable ScriptedClient client;
    private @Nullable EmbeddedChannel serverChannel;
    private ByteBuf request = Unpooled.EMPTY_BUFFER;
    private ByteBuf reply = Unpooled.EMPTY_BUFFER;

    /** Takes what is written to a channel. */
    private static final class Drain extends ChannelOutboundHandlerAdapter {
        @Override
        public void write(ChannelHandlerContext ctx, Object msg, ChannelPromise promise) {
            ReferenceCountUtil.release(msg);
        }

        @Override
        public void flush(ChannelHandlerContext ctx) {}
    }

    /** Builds the path and prepares what the mode needs. */
    @Setup
    public void prepare() throws Exception {
        PgProxy started = PgProxy.start(ConfigLoader.parse("""
                listen_port = 0
                auth_type = trust
                threads = 1
                databases { bench { primary = "127.0.0.1:1" } }
                """));
        proxy = started;
        transport = new Transport(
                new RuntimeSettings(1, TransportChoice.NIO, null),
                started.config().listen(),
                Duration.ZERO,
                new HostNames(Runnable::run, Duration.ZERO));
        EmbeddedChannel toServer = new EmbeddedChannel(new Drain());
        EmbeddedChannel toClient = new EmbeddedChannel(new Drain()) {
            @Override
            public EventLoop eventLoop() {
                return toServer.eventLoop();
            }
        };
        serverChannel = toServer;
        Reported reported = Reported.of(Map.of("client_encoding", "UTF8", "standard_conforming_strings", "on"));
        ServerConnection server = ScriptedServer.on(toServer, new HostAddress("127.0.0.1", 1), reported);
        Pool pool = started.pools().enter(new PoolKey("bench", "bench"));
        pool.release(server);
        Session session = new Session("bench", "bench", Settings.NONE, reported);
        ScriptedClient made = new ScriptedClient(toClient);
        FlowSettings settings = new FlowSettings(PoolMode.TRANSACTION, 200, 2, Duration.ofSeconds(30));
        made.flow(new QueryFlow(
                made,
                new PoolStatements(
                        session,
                        pool,
                        settings,
                        pool.counters().row(0),
                        new StatementWatch(null, session, () -> "", StatementRules.NONE)),
                settings,
                new CancelForwarder(transport),
                new Listeners(started.pools(), new Primaries()),
                null,
                Restraints.NONE));
        client = made;
        if (mode.equals("prepared") || mode.equals("renamed")) {
            named(mode.equals("renamed") ? "another name" : "P0_1", session, pool);
        }
        request = Unpooled.directBuffer();
        reply = Unpooled.directBuffer();
        script();
    }

    /** As if the client, and before it one that chose the name, had prepared the statement. */
    private void named(String firstName, Session session, Pool pool) {
        ByteBuf parse = Unpooled.directBuffer();
        byte[] rest = (SQL + "\0\0\0").getBytes(StandardCharsets.UTF_8);
        FrontendWriter.parse(parse, "P0_1".getBytes(StandardCharsets.UTF_8), rest);
        FrontendWriter.sync(parse);
        pool.statements()
                .find(
                        rest,
                        new dev.pgproxy.session.SharedStatements.Scope("UTF8", "on", "", "", 0),
                        firstName,
                        new SqlAnalyzer().analyze(Unpooled.wrappedBuffer(rest), 0, SQL.length(), true, false));
        ByteBuf answer = Unpooled.directBuffer();
        BackendWriter.empty(answer, BackendType.PARSE_COMPLETE);
        BackendWriter.readyForQuery(answer, (byte) 'I');
        exchange(parse, answer);
        if (session.statements().size() != 1) {
            throw new IllegalStateException("not prepared");
        }
    }

    private void script() {
        if (mode.equals("simple")) {
            FrontendWriter.query(request, SQL.replace("$1", "77777"));
        } else {
            boolean named = !mode.equals("extended");
            if (!named) {
                FrontendWriter.parse(request, "", SQL);
                BackendWriter.empty(reply, BackendType.PARSE_COMPLETE);
            }
            bind(named ? "P0_1" : "");
            BackendWriter.empty(reply, BackendType.BIND_COMPLETE);
        }
        if (!mode.equals("prepared") && !mode.equals("renamed")) {
            BackendWriter.rowDescription(reply, List.of("abalance"), List.of(ColumnType.INT4), new short[0]);
        }
        BackendWriter.dataRow(reply, List.of("-4711"), List.of(ColumnType.INT4), new short[0]);
        BackendWriter.commandComplete(reply, "SELECT 1");
        BackendWriter.readyForQuery(reply, (byte) 'I');
    }

    private void bind(String statement) {
        int start = request.writerIndex();
        request.writeByte('B').writeInt(0).writeByte(0);
        request.writeCharSequence(statement + "\0", StandardCharsets.US_ASCII);
        request.writeShort(0).writeShort(1).writeInt(5);
        request.writeCharSequence("77777", StandardCharsets.US_ASCII);
        request.writeShort(0);
        request.setInt(start + 1, request.writerIndex() - start - 1);
        if (!mode.equals("prepared") && !mode.equals("renamed")) {
            FrontendWriter.describe(request, FrontendWriter.PORTAL, new byte[0]);
        }
        request.writeByte('E').writeInt(9).writeByte(0).writeInt(0);
        FrontendWriter.sync(request);
    }

    /** Ends what {@link #prepare} has begun. */
    @TearDown
    public void close() {
        if (proxy != null && transport != null) {
            proxy.close();
            transport.close();
        }
    }

    /** One transaction. */
    @Benchmark
    public void transaction() {
        exchange(request, reply);
    }

    private void exchange(ByteBuf asked, ByteBuf answered) {
        if (client == null || serverChannel == null) {
            throw new IllegalStateException("not prepared");
        }
        client.read(asked.retain());
        serverChannel.pipeline().fireChannelRead(answered.retain());
        serverChannel.pipeline().fireChannelReadComplete();
    }
}
