package dev.pgproxy.query;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.config.ConfigLoader;
import dev.pgproxy.config.ConfigProblems;
import dev.pgproxy.config.PoolMode;
import dev.pgproxy.config.ProxyConfig;
import dev.pgproxy.config.RuntimeSettings;
import dev.pgproxy.config.TransportChoice;
import dev.pgproxy.net.HostNames;
import dev.pgproxy.net.ServerTls;
import dev.pgproxy.net.Transport;
import dev.pgproxy.pool.Pool;
import dev.pgproxy.pool.PoolKey;
import dev.pgproxy.pool.Pools;
import dev.pgproxy.protocol.frame.CString;
import dev.pgproxy.protocol.frontend.FrontendWriter;
import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.protocol.sql.SqlAnalyzer;
import dev.pgproxy.route.Breakers;
import dev.pgproxy.route.Primaries;
import dev.pgproxy.rules.StatementRules;
import dev.pgproxy.server.ReplyQueue;
import dev.pgproxy.server.ScriptedServer;
import dev.pgproxy.server.ServerConnection;
import dev.pgproxy.session.Reported;
import dev.pgproxy.session.Session;
import dev.pgproxy.session.Settings;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The bytes that reach a server, and the replies that are then expected, for what a client sends. */
final class ExchangeWriterTest {
    private static final int MAX_STATEMENTS = 2;

    private final ProxyConfig config = config();
    private final Transport transport = new Transport(
            new RuntimeSettings(1, TransportChoice.NIO, null),
            config.listen(),
            Duration.ZERO,
            new HostNames(Runnable::run, Duration.ZERO));
    private final Pool pool = pool();
    private final List<ByteBuf> received = new ArrayList<>();
    private final One one = new One();

    /** A client on a server of its own. */
    private final class One {
        private final EmbeddedChannel channel = new EmbeddedChannel();
        private final ServerConnection server = ScriptedServer.on(channel);
        private final Session session = new Session("d", "u", Settings.NONE, Reported.NONE);
        private final ExchangeWriter writer = on(server);

        private ExchangeWriter on(ServerConnection to) {
            FlowSettings settings = new FlowSettings(PoolMode.TRANSACTION, MAX_STATEMENTS, 0, Duration.ZERO);
            ExchangeWriter writer = new ExchangeWriter(
                    session,
                    new PoolStatements(
                            session,
                            pool,
                            settings,
                            pool.counters().row(0),
                            new StatementWatch(null, session, () -> "", StatementRules.NONE)),
                    true);
            writer.begin(to);
            return writer;
        }

        /** What the server gets for what the client sends. */
        private String send(Consumer<ByteBuf> messages) {
            return send(writer, channel, messages, 0);
        }

        private String send(ExchangeWriter by, EmbeddedChannel to, Consumer<ByteBuf> messages, int missing) {
            ByteBuf in = Unpooled.buffer();
            messages.accept(in);
            received.add(in);
            Exchange exchange = new Exchange();
            int end = in.writerIndex();
            in.writerIndex(end - missing);
            for (int i = 0; i < end; ) {
                int length = in.getInt(i + 1) + 1;
                exchange.add(in.getByte(i), in, i, length, facts(in, i, length));
                i += length;
            }
            by.write(exchange, 0, true);
            exchange.clear();
            to.flushOutbound();
            ByteBuf all = Unpooled.buffer();
            for (ByteBuf out = to.readOutbound(); out != null; out = to.readOutbound()) {
                all.writeBytes(out);
                out.release();
            }
            return shown(all);
        }

        private List<Integer> expected() {
            List<Integer> entries = new ArrayList<>();
            while (!server.replies().isEmpty()) {
                entries.add(server.replies().head());
                server.replies().remove();
            }
            return entries;
        }
    }

    private static ProxyConfig config() {
        try {
            return ConfigLoader.parse("databases { d { primary = \"127.0.0.1:1\" } }");
        } catch (ConfigProblems e) {
            throw new AssertionError(e);
        }
    }

    private Pool pool() {
        try {
            return new Pools(
                            config,
                            ServerTls.of(config.serverTls()),
                            transport,
                            new Primaries(),
                            new Breakers(config.breakers()))
                    .enter(new PoolKey("d", "u"));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static void describe(ByteBuf out, String name) {
        FrontendWriter.describe(out, FrontendWriter.STATEMENT, name.getBytes(UTF_8));
    }

    private static @Nullable QueryFacts facts(ByteBuf in, int index, int length) {
        int from = index + 5;
        if (in.getByte(index) == 'P') {
            from = CString.end(in, from, index + length) + 1;
        } else if (in.getByte(index) != 'Q') {
            return null;
        }
        return new SqlAnalyzer().analyze(in, from, CString.end(in, from, index + length) - from, true, false);
    }

    private static String shown(ByteBuf bytes) {
        return bytes.toString(UTF_8).replace('\0', '.');
    }

    private static String bytes(Consumer<ByteBuf> messages) {
        ByteBuf out = Unpooled.buffer();
        messages.accept(out);
        return shown(out);
    }

    private static void bind(ByteBuf out, String statement, String value) {
        int start = out.writerIndex();
        out.writeByte('B').writeInt(0).writeByte(0);
        CString.write(out, statement);
        out.writeShort(0).writeShort(1).writeInt(value.length());
        out.writeCharSequence(value, UTF_8);
        out.writeShort(0);
        out.setInt(start + 1, out.writerIndex() - start - 1);
    }

    @AfterEach
    void everyBufferIsReleased() {
        transport.close();
        one.channel.finishAndReleaseAll();
        for (ByteBuf in : received) {
            assertThat(in.refCnt()).as("references to what the client sent").isEqualTo(1);
        }
    }

    @Test
    void whatNeedsNoChangeGoesAsItCame() {
        Consumer<ByteBuf> messages = out -> {
            FrontendWriter.parse(out, "", "SELECT $1");
            bind(out, "", "x");
            FrontendWriter.sync(out);
        };
        assertThat(one.send(messages)).isEqualTo(bytes(messages));
        assertThat(one.expected()).containsExactly(ReplyQueue.PARSE, ReplyQueue.BIND, ReplyQueue.SYNC);
    }

    @Test
    void aNewNameIsKeptAndKnown() {
        Consumer<ByteBuf> messages = out -> {
            FrontendWriter.parse(out, "S_1", "SELECT $1");
            bind(out, "S_1", "x");
            describe(out, "S_1");
        };
        assertThat(one.send(messages)).isEqualTo(bytes(out -> {
            FrontendWriter.parse(out, "S_1", "SELECT $1");
            describe(out, "S_1");
            bind(out, "S_1", "x");
            describe(out, "S_1");
        }));
        assertThat(one.expected())
                .containsExactly(
                        ReplyQueue.PARSE,
                        ReplyQueue.DESCRIBE | ReplyQueue.SWALLOW,
                        ReplyQueue.BIND,
                        ReplyQueue.DESCRIBE);
    }

    /** What these give depends on the moment, or is nothing. */
    @Test
    void onlyWhatIsPlannedIsDescribed() {
        for (String text : new String[] {"FETCH 1 FROM c", "EXPLAIN SELECT 1"}) {
            Consumer<ByteBuf> messages = out -> FrontendWriter.parse(out, "S" + text.length(), text);
            assertThat(one.send(messages)).as(text).isEqualTo(bytes(messages));
        }
    }

    @Test
    void aStatementThatTheServerHasIsAnsweredAndNamedAsThere() {
        for (String name : new String[] {"b", "abc", "longer", "l".repeat(5_000)}) {
            One client = new One();
            One first = new One();
            first.send(out -> FrontendWriter.parse(out, "abc", "SELECT 1, $1"));
            ExchangeWriter onFirst = client.on(first.server);
            first.expected();
            String sent = client.send(
                    onFirst,
                    first.channel,
                    out -> {
                        FrontendWriter.parse(out, name, "SELECT 1, $1");
                        bind(out, name, "value");
                        FrontendWriter.describe(out, FrontendWriter.STATEMENT, name.getBytes(UTF_8));
                        FrontendWriter.sync(out);
                    },
                    0);
            assertThat(sent).as(name).isEqualTo(bytes(out -> {
                bind(out, "abc", "value");
                FrontendWriter.describe(out, FrontendWriter.STATEMENT, "abc".getBytes(UTF_8));
                FrontendWriter.sync(out);
            }));
            // the answer to Parse was due at once
            assertThat(first.expected()).containsExactly(ReplyQueue.BIND, ReplyQueue.DESCRIBE, ReplyQueue.SYNC);
            client.channel.finishAndReleaseAll();
            first.channel.finishAndReleaseAll();
        }
    }

    @Test
    void aServerThatLacksAStatementGetsItInFront() {
        one.send(out -> FrontendWriter.parse(out, "S_1", "SELECT 2, $1"));
        One other = new One();
        String sent = one.send(one.on(other.server), other.channel, out -> bind(out, "S_1", "x"), 0);
        assertThat(sent).isEqualTo(bytes(out -> {
            FrontendWriter.parse(out, "S_1", "SELECT 2, $1");
            describe(out, "S_1");
            bind(out, "S_1", "x");
        }));
        assertThat(other.expected())
                .containsExactly(
                        ReplyQueue.PARSE | ReplyQueue.SWALLOW,
                        ReplyQueue.DESCRIBE | ReplyQueue.SWALLOW,
                        ReplyQueue.BIND);
        other.channel.finishAndReleaseAll();
    }

    @Test
    void theUnnamedStatementFollowsItsClient() {
        one.send(out -> FrontendWriter.parse(out, "", "SELECT 3, $1"));
        One other = new One();
        other.send(out -> FrontendWriter.parse(out, "", "SELECT 'of another'"));
        other.expected();
        String sent = one.send(one.on(other.server), other.channel, out -> bind(out, "", "x"), 0);
        assertThat(sent).isEqualTo(bytes(out -> {
            FrontendWriter.parse(out, "", "SELECT 3, $1");
            bind(out, "", "x");
        }));
        assertThat(other.expected()).containsExactly(ReplyQueue.PARSE | ReplyQueue.SWALLOW, ReplyQueue.BIND);
        other.channel.finishAndReleaseAll();
    }

    @Test
    void theLeastRecentlyUsedStatementMakesRoom() {
        one.send(out -> {
            FrontendWriter.parse(out, "a", "SELECT 'a', $1");
            FrontendWriter.parse(out, "b", "SELECT 'b', $1");
            bind(out, "a", "x");
        });
        one.expected();
        assertThat(one.send(out -> FrontendWriter.parse(out, "c", "SELECT 'c', $1")))
                .isEqualTo(bytes(out -> {
                    FrontendWriter.close(out, FrontendWriter.STATEMENT, "b".getBytes(UTF_8));
                    FrontendWriter.parse(out, "c", "SELECT 'c', $1");
                    describe(out, "c");
                }));
        assertThat(one.expected())
                .containsExactly(
                        ReplyQueue.CLOSE | ReplyQueue.SWALLOW,
                        ReplyQueue.PARSE,
                        ReplyQueue.DESCRIBE | ReplyQueue.SWALLOW);
    }

    @Test
    void aCloseIsAnsweredAndTheStatementStays() {
        one.send(out -> FrontendWriter.parse(out, "a", "SELECT 'kept'"));
        one.expected();
        assertThat(one.send(out -> {
                    FrontendWriter.close(out, FrontendWriter.STATEMENT, "a".getBytes(UTF_8));
                    FrontendWriter.sync(out);
                }))
                .isEqualTo(bytes(FrontendWriter::sync));
        assertThat(one.expected()).containsExactly(ReplyQueue.SYNC);
        assertThat(one.server.statements().size()).isEqualTo(1);
        assertThat(one.session.statements().size()).isZero();
    }

    @Test
    void theBeginningOfALongBindIsRenamedToo() {
        One first = new One();
        first.send(out -> FrontendWriter.parse(out, "server_name", "SELECT 5, $1"));
        ExchangeWriter onFirst = one.on(first.server);
        one.send(onFirst, first.channel, out -> FrontendWriter.parse(out, "mine", "SELECT 5, $1"), 0);
        String value = "v".repeat(20_000);
        String sent = one.send(onFirst, first.channel, out -> bind(out, "mine", value), 7_000);
        String whole = bytes(out -> bind(out, "server_name", value));
        assertThat(sent).isEqualTo(whole.substring(0, whole.length() - 7_000));
        first.channel.finishAndReleaseAll();
    }

    @Test
    void sqlThatNamesAStatementOfTheProtocolFindsItUnderTheClientsName() {
        One first = new One();
        first.send(out -> FrontendWriter.parse(out, "server_name", "SELECT 6, $1"));
        ExchangeWriter onFirst = one.on(first.server);
        one.send(onFirst, first.channel, out -> FrontendWriter.parse(out, "mine", "SELECT 6, $1"), 0);
        first.expected();
        Consumer<ByteBuf> query = out -> FrontendWriter.query(out, "EXECUTE mine (1)");
        assertThat(one.send(onFirst, first.channel, query, 0)).isEqualTo(bytes(out -> {
            FrontendWriter.parse(out, "mine", "SELECT 6, $1");
            FrontendWriter.sync(out);
            query.accept(out);
        }));
        assertThat(first.expected())
                .containsExactly(
                        ReplyQueue.PARSE | ReplyQueue.SWALLOW, ReplyQueue.SYNC | ReplyQueue.SWALLOW, ReplyQueue.QUERY);
        assertThat(one.send(onFirst, first.channel, query, 0)).isEqualTo(bytes(query));
        first.channel.finishAndReleaseAll();
    }

    @Test
    void aFlushWithABodyIsAnsweredByAnErrorSoOneIsExpected() {
        one.send(out -> out.writeByte('H').writeInt(5).writeByte(0));
        assertThat(one.expected()).containsExactly(ReplyQueue.EXECUTE);
        one.send(out -> out.writeByte('H').writeInt(4));
        assertThat(one.expected()).isEmpty();
    }
}
