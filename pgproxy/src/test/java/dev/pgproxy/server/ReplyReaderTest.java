package dev.pgproxy.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pgproxy.protocol.backend.BackendWriter;
import dev.pgproxy.protocol.backend.ColumnType;
import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.backend.SqlState;
import dev.pgproxy.protocol.frame.BackendType;
import dev.pgproxy.protocol.frame.ProtocolViolation;
import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.protocol.sql.SqlAnalyzer;
import dev.pgproxy.protocol.sql.StatementFacts;
import dev.pgproxy.session.Reported;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a client receives of a scripted server, split at every position: what is its own, answers of ours, nothing else. */
final class ReplyReaderTest {
    private final UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(false, true);
    private final Client client = new Client();
    private ReplyReader reader = new ReplyReader(Reported.NONE, allocator);

    /** Takes what would go to the client, and writes down the rest. */
    private static final class Client implements ReplySink {
        private final ByteBuf bytes = Unpooled.buffer();
        private final List<String> events = new ArrayList<>();

        @Override
        public void forward(ByteBuf buf, int index, int length) {
            assertThat(length).isPositive();
            bytes.writeBytes(buf, index, length);
        }

        @Override
        public void answer(int entry) {
            BackendWriter.empty(bytes, (byte) ((entry & ReplyQueue.KIND) == ReplyQueue.PARSE ? '1' : '3'));
        }

        @Override
        public void completed(StatementFacts statement, String tag) {
            events.add(statement.kind() + " " + tag);
        }

        @Override
        public void substituted(Substitute substitute) {
            BackendWriter.commandComplete(bytes, substitute.tag());
        }

        @Override
        public void writable() {}

        @Override
        public @Nullable ErrorFields failed(ErrorFields error, @Nullable Object note) {
            events.add("failed " + error.code());
            return error.message().equals("ours") ? ErrorFields.error(SqlState.SYNTAX_ERROR, "theirs") : null;
        }

        @Override
        public void say(ErrorFields error) {
            error.write(bytes);
        }

        @Override
        public void dropped(int entry, @Nullable Object note) {
            events.add("dropped " + note);
        }

        @Override
        public boolean reported(String name, String value) {
            events.add(name + "=" + value);
            return true;
        }

        @Override
        public void copyIn() {
            events.add("copy");
        }

        @Override
        public void ready(byte status) {
            events.add("ready " + (char) status);
        }

        @Override
        public void burstEnd() {}

        @Override
        public void lost(@Nullable ErrorFields error) {
            events.add("lost");
        }
    }

    /** The reply to a query of our own. */
    private static final class Own implements OwnReply {
        private final List<String> events = new ArrayList<>();

        @Override
        public void row(List<@Nullable String> values) {
            events.add(values.toString());
        }

        @Override
        public void done(@Nullable ErrorFields error, byte status) {
            events.add((error == null ? "done " : error.code() + " ") + (char) status);
        }
    }

    @AfterEach
    void nothingIsLeft() {
        reader.close();
        assertThat(allocator.metric().usedHeapMemory()).isZero();
    }

    private static ByteBuf bytes(Consumer<ByteBuf> writer) {
        ByteBuf out = Unpooled.buffer();
        writer.accept(out);
        return out;
    }

    private static void row(ByteBuf out, String... values) {
        BackendWriter.dataRow(
                out, Arrays.asList(values), Collections.nCopies(values.length, ColumnType.TEXT), new short[0]);
    }

    /** Sends the server's bytes in two pieces, for each way to cut them. */
    private void assertReceives(Runnable sent, ByteBuf said, ByteBuf expected, List<String> events) {
        for (int at = 0; at <= said.writerIndex(); at++) {
            reader.close();
            reader = new ReplyReader(Reported.NONE, allocator);
            reader.sink(client);
            client.bytes.clear();
            client.events.clear();
            sent.run();
            reader.read(allocator.buffer().writeBytes(said, 0, at));
            reader.read(allocator.buffer().writeBytes(said, at, said.writerIndex() - at));
            assertThat(client.bytes.toString(StandardCharsets.ISO_8859_1))
                    .as("split at %s", at)
                    .isEqualTo(expected.toString(StandardCharsets.ISO_8859_1));
            assertThat(client.events).as("split at %s", at).isEqualTo(events);
            assertThat(reader.replies().isEmpty()).as("split at %s", at).isTrue();
        }
    }

    private void expect(int... entries) {
        for (int entry : entries) {
            reader.expect(entry, "note " + (entry & ReplyQueue.KIND));
        }
    }

    private static QueryFacts facts(String sql) {
        ByteBuf text = Unpooled.copiedBuffer(sql, StandardCharsets.UTF_8);
        return new SqlAnalyzer().analyze(text, 0, text.readableBytes(), true, false);
    }

    @Test
    void ownRepliesAreTakenOutAndAnswersPutInBetween() {
        ByteBuf said = bytes(out -> {
            BackendWriter.empty(out, BackendType.PARSE_COMPLETE); // swallowed
            BackendWriter.empty(out, BackendType.CLOSE_COMPLETE); // swallowed
            BackendWriter.empty(out, BackendType.BIND_COMPLETE);
            row(out, "a", "b");
            row(out, "c", "d");
            BackendWriter.commandComplete(out, "SELECT 2");
            BackendWriter.readyForQuery(out, (byte) 'I');
        });
        ByteBuf expected = bytes(out -> {
            BackendWriter.empty(out, BackendType.PARSE_COMPLETE); // answered
            BackendWriter.empty(out, BackendType.BIND_COMPLETE);
            BackendWriter.empty(out, BackendType.CLOSE_COMPLETE); // answered
            row(out, "a", "b");
            row(out, "c", "d");
            BackendWriter.commandComplete(out, "SELECT 2");
            BackendWriter.empty(out, BackendType.CLOSE_COMPLETE); // answered
            BackendWriter.readyForQuery(out, (byte) 'I');
        });
        assertReceives(
                () -> expect(
                        ReplyQueue.PARSE | ReplyQueue.ANSWER,
                        ReplyQueue.PARSE | ReplyQueue.SWALLOW,
                        ReplyQueue.CLOSE | ReplyQueue.SWALLOW,
                        ReplyQueue.BIND,
                        ReplyQueue.CLOSE | ReplyQueue.ANSWER,
                        ReplyQueue.EXECUTE,
                        ReplyQueue.CLOSE | ReplyQueue.ANSWER,
                        ReplyQueue.SYNC),
                said,
                expected,
                List.of("ready I"));
    }

    @Test
    void anErrorDropsWhatTheServerIgnoresAndReachesTheClient() {
        ByteBuf said = bytes(out -> {
            ErrorFields.error(SqlState.SYNTAX_ERROR, "m").write(out);
            BackendWriter.readyForQuery(out, (byte) 'I');
        });
        assertReceives(
                () -> expect(
                        ReplyQueue.PARSE | ReplyQueue.SWALLOW,
                        ReplyQueue.BIND,
                        ReplyQueue.CLOSE | ReplyQueue.ANSWER,
                        ReplyQueue.EXECUTE,
                        ReplyQueue.SYNC),
                said,
                said,
                List.of(
                        "failed 42601",
                        "dropped note 7",
                        "dropped note 8",
                        "dropped note 5",
                        "dropped note 4",
                        "ready I"));
    }

    @Test
    void anErrorMayBeReplaced() {
        ByteBuf said = bytes(out -> {
            row(out, "1");
            ErrorFields.error(SqlState.SYNTAX_ERROR, "ours").write(out);
            BackendWriter.readyForQuery(out, (byte) 'E');
        });
        ByteBuf expected = bytes(out -> {
            row(out, "1");
            ErrorFields.error(SqlState.SYNTAX_ERROR, "theirs").write(out);
            BackendWriter.readyForQuery(out, (byte) 'E');
        });
        assertReceives(() -> expect(ReplyQueue.QUERY), said, expected, List.of("failed 42601", "ready E"));
    }

    @Test
    void whatComesAfterAnErrorAndBeforeSyncIsDroppedAtOnce() {
        reader.sink(client);
        expect(ReplyQueue.PARSE);
        reader.read(allocator.buffer().writeBytes(bytes(ErrorFields.error(SqlState.SYNTAX_ERROR, "m")::write)));
        expect(ReplyQueue.PARSE | ReplyQueue.ANSWER, ReplyQueue.BIND, ReplyQueue.SYNC);
        assertThat(client.events).containsExactly("failed 42601", "dropped note 4", "dropped note 4", "dropped note 5");
        assertThat(reader.replies().head()).isEqualTo(ReplyQueue.SYNC);
    }

    @Test
    void aQueryOfOurOwnIsInvisible() {
        Own own = new Own();
        ByteBuf said = bytes(out -> {
            row(out, "x");
            BackendWriter.commandComplete(out, "SELECT 1");
            ErrorFields.error(SqlState.UNDEFINED_OBJECT, "m").write(out);
            BackendWriter.readyForQuery(out, (byte) 'I');
            row(out, "y");
            BackendWriter.commandComplete(out, "SELECT 1");
            BackendWriter.readyForQuery(out, (byte) 'T');
        });
        ByteBuf expected = bytes(out -> {
            row(out, "y");
            BackendWriter.commandComplete(out, "SELECT 1");
            BackendWriter.readyForQuery(out, (byte) 'T');
        });
        assertReceives(
                () -> {
                    own.events.clear();
                    reader.expect(ReplyQueue.QUERY | ReplyQueue.SWALLOW, own);
                    expect(ReplyQueue.QUERY);
                },
                said,
                expected,
                List.of("ready T"));
        assertThat(own.events).containsExactly("[x]", "42704 I");
        assertThat(reader.lastError()).isNull();
    }

    @Test
    void eachStatementOfATextCompletesWithItsOwnFacts() {
        ByteBuf said = bytes(out -> {
            BackendWriter.empty(out, BackendType.BIND_COMPLETE);
            BackendWriter.commandComplete(out, "SET");
            BackendWriter.commandComplete(out, "BEGIN");
            BackendWriter.parameterStatus(out, "TimeZone", "UTC");
            BackendWriter.commandComplete(out, "SET");
            BackendWriter.readyForQuery(out, (byte) 'T');
        });
        assertReceives(
                () -> {
                    expect(ReplyQueue.BIND);
                    reader.expect(ReplyQueue.EXECUTE, facts("SET a.b = 1"));
                    reader.expect(ReplyQueue.QUERY, facts("BEGIN; SET TimeZone = 'UTC'"));
                },
                said,
                said,
                List.of("SET SET", "BEGIN BEGIN", "TimeZone=UTC", "SET SET", "ready T"));
        assertThat(reader.reported().get("TimeZone")).isEqualTo("UTC");
    }

    @Test
    void aSubstituteCompletesAsTheClientsStatement() {
        Substitute substitute = new Substitute(facts("LISTEN a").statements().getFirst(), "LISTEN");
        ByteBuf said = bytes(out -> {
            BackendWriter.commandComplete(out, "UNLISTEN");
            BackendWriter.readyForQuery(out, (byte) 'I');
        });
        ByteBuf expected = bytes(out -> {
            BackendWriter.commandComplete(out, "LISTEN");
            BackendWriter.readyForQuery(out, (byte) 'I');
        });
        assertReceives(() -> reader.expect(ReplyQueue.QUERY, substitute), said, expected, List.of("ready I"));
    }

    @Test
    void nothingReachesAnybodyWhileNobodyHasTheServer() {
        reader.sink(client);
        reader.sink(null);
        ByteBuf said = bytes(out -> {
            row(out, "lost");
            BackendWriter.parameterStatus(out, "a", "b");
            ErrorFields.fatal(SqlState.ADMIN_SHUTDOWN, "m").write(out);
        });
        reader.read(allocator.buffer().writeBytes(said));
        assertThat(client.bytes.isReadable()).isFalse();
        assertThat(client.events).isEmpty();
        assertThat(reader.lastError()).isNotNull();
    }

    @Test
    void aLongErrorIsStreamedAndKnown() {
        reader.sink(client);
        expect(ReplyQueue.BIND, ReplyQueue.SYNC);
        ByteBuf said = bytes(ErrorFields.error(SqlState.PROGRAM_LIMIT_EXCEEDED, "x".repeat(3 << 20))::write);
        for (int from = 0; from < said.writerIndex(); from += 50_000) {
            reader.read(allocator.buffer().writeBytes(said, from, Math.min(50_000, said.writerIndex() - from)));
            assertThat(allocator.metric().usedHeapMemory()).isLessThan(100_000);
        }
        assertThat(client.bytes).isEqualTo(said);
        assertThat(client.events).containsExactly("failed 54000", "dropped note 5");
    }

    @Test
    void repliesNobodyAskedForAreViolations() {
        for (Consumer<ByteBuf> reply : List.<Consumer<ByteBuf>>of(
                out -> BackendWriter.readyForQuery(out, (byte) 'I'),
                out -> BackendWriter.empty(out, BackendType.PARSE_COMPLETE),
                out -> BackendWriter.empty(out, BackendType.BIND_COMPLETE),
                out -> BackendWriter.empty(out, (byte) 'x'))) {
            reader.close();
            reader = new ReplyReader(Reported.NONE, allocator);
            reader.sink(client);
            expect(ReplyQueue.EXECUTE);
            assertThatThrownBy(() -> reader.read(allocator.buffer().writeBytes(bytes(reply))))
                    .isInstanceOf(ProtocolViolation.class);
        }
        assertThat(client.bytes.isReadable()).isFalse();
    }

    @Test
    void ownQueriesLearnThatTheConnectionIsGone() {
        Own own = new Own();
        reader.expect(ReplyQueue.QUERY | ReplyQueue.SWALLOW, own);
        reader.close();
        assertThat(own.events).containsExactly("08006 I");
    }
}
