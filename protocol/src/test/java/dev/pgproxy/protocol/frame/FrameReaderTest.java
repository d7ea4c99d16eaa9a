package dev.pgproxy.protocol.frame;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pgproxy.protocol.frame.RecordingSink.Told;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Properties over conversations and the ways to split them; {@code -Dframe.seed=} repeats the random ones. */
final class FrameReaderTest {
    private static final long SEED = Long.getLong("frame.seed", System.nanoTime());
    private static final long ROWS = FrameReader.bit((byte) 'D');

    private final UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(false, true);
    private RecordingSink sink = new RecordingSink();
    private FrameReader reader = new FrameReader(sink, allocator);

    @AfterEach
    void everyBufferIsReleased() {
        reader.close();
        assertThat(allocator.metric().usedHeapMemory())
                .as("bytes not released, -Dframe.seed=%s", SEED)
                .isZero();
    }

    private void again() {
        reader.close();
        sink = new RecordingSink();
        reader = new FrameReader(sink, allocator);
        reader.passive(ROWS);
    }

    private ByteBuf buffer(byte[] bytes, int from, int to) {
        // not at the beginning, as after other messages
        return allocator.buffer().writeZero(3).skipBytes(3).writeBytes(bytes, from, to - from);
    }

    private void read(byte[] bytes, int from, int to) {
        if (to > from) {
            reader.read(buffer(bytes, from, to));
        }
    }

    private static byte[] message(char type, int body) {
        ByteBuffer out =
                ByteBuffer.allocate(FrameReader.HEADER + body).put((byte) type).putInt(body + 4);
        for (int i = 0; i < body; i++) {
            out.put((byte) (type + i));
        }
        return out.array();
    }

    private static byte[] concat(List<byte[]> messages) {
        ByteBuffer out =
                ByteBuffer.allocate(messages.stream().mapToInt(m -> m.length).sum());
        messages.forEach(out::put);
        return out.array();
    }

    /** What has to be told of these messages, passive ones left out. */
    private static List<String> expected(List<byte[]> messages) {
        List<String> all = new ArrayList<>();
        int offset = 0;
        for (byte[] message : messages) {
            if (message[0] != 'D') {
                all.add((char) message[0] + " at " + offset + " of " + message.length);
            }
            offset += message.length;
        }
        return all;
    }

    private static List<String> shown(List<Told> told) {
        return told.stream()
                .map(t -> t.type() + " at " + t.offset() + " of " + t.length())
                .collect(Collectors.toList());
    }

    private void assertTold(List<byte[]> messages, String how) {
        assertThat(shown(sink.told())).as(how).isEqualTo(expected(messages));
        assertThat(sink.bytes()).as(how).isEqualTo(concat(messages));
        for (Told each : sink.told()) {
            assertThat(each.whole() || each.type() == 'B' || each.type() == 'd')
                    .as("%s gathered, %s", each, how)
                    .isTrue();
        }
        assertThat(reader.midFrame()).as(how).isFalse();
        assertThat(reader.holdsBytes()).as(how).isFalse();
    }

    private static final List<byte[]> CONVERSATION = List.of(
            message('Q', 0),
            message('D', 7),
            message('D', 0),
            message('P', 20),
            message('B', 3),
            message('D', 30),
            message('S', 0),
            message('D', 1),
            message('Z', 1));

    @Test
    void aConversationIsToldTheSameHoweverItIsSplitInTwo() {
        byte[] all = concat(CONVERSATION);
        for (int at = 0; at <= all.length; at++) {
            again();
            read(all, 0, at);
            read(all, at, all.length);
            assertTold(CONVERSATION, "split at " + at);
        }
    }

    @Test
    void aConversationIsToldTheSameHoweverItIsSplitInThree() {
        byte[] all = concat(CONVERSATION);
        for (int at = 0; at <= all.length; at++) {
            for (int then = at; then <= all.length; then++) {
                again();
                read(all, 0, at);
                read(all, at, then);
                read(all, then, all.length);
                assertTold(CONVERSATION, "split at " + at + " and " + then);
            }
        }
    }

    @Test
    void aConversationMayComeByteByByte() {
        again();
        byte[] all = concat(CONVERSATION);
        for (int i = 0; i < all.length; i++) {
            read(all, i, i + 1);
        }
        assertTold(CONVERSATION, "byte by byte");
    }

    @Test
    void randomConversationsInRandomPiecesAreTold() {
        Random random = new Random(SEED);
        for (int round = 0; round < 300; round++) {
            again();
            List<byte[]> messages = randomConversation(random);
            byte[] all = concat(messages);
            for (int from = 0; from < all.length; ) {
                int to = Math.min(all.length, from + 1 + random.nextInt(random.nextBoolean() ? 12 : 40_000));
                read(all, from, to);
                from = to;
            }
            assertTold(messages, "-Dframe.seed=" + SEED + ", round " + round);
        }
    }

    private static List<byte[]> randomConversation(Random random) {
        List<byte[]> messages = new ArrayList<>();
        for (int n = random.nextInt(12); n >= 0; n--) {
            int size = random.nextInt(4) == 0 ? random.nextInt(60_000) : random.nextInt(50);
            messages.add(message("DdBQPS".charAt(random.nextInt(6)), size));
        }
        return messages;
    }

    @Test
    void pausesAtAnyMessageLoseAndReorderNothing() {
        Random random = new Random(SEED);
        for (int round = 0; round < 300; round++) {
            again();
            List<byte[]> messages = randomConversation(random);
            byte[] all = concat(messages);
            FrameReader paused = reader;
            sink.then(each -> {
                if (random.nextInt(3) == 0) {
                    paused.pause();
                    if (random.nextInt(4) == 0) {
                        paused.resume();
                    }
                }
            });
            for (int from = 0; from < all.length; ) {
                int to = Math.min(all.length, from + 1 + random.nextInt(random.nextBoolean() ? 12 : 20_000));
                read(all, from, to);
                from = to;
                if (random.nextInt(3) == 0) {
                    reader.resume();
                }
            }
            while (reader.isPaused() || reader.holdsBuffers()) {
                reader.resume();
            }
            assertTold(messages, "-Dframe.seed=" + SEED + ", round " + round);
        }
    }

    @Test
    void nothingIsToldWhilePaused() {
        again();
        sink.then(each -> reader.pause());
        byte[] all = concat(CONVERSATION);
        read(all, 0, all.length);
        assertThat(sink.told()).hasSize(1);
        assertThat(reader.holdsBuffers()).isTrue();
        read(all, 0, all.length);
        assertThat(sink.told()).hasSize(1);
        reader.resume();
        assertThat(sink.told()).hasSize(2);
    }

    @Test
    void whatIsReadWithinACallbackComesBehindWhatIsBeingRead() {
        again();
        byte[] all = concat(CONVERSATION);
        sink.then(each -> {
            if (each.offset() == 0) {
                read(all, 0, all.length);
            }
        });
        read(all, 0, all.length);
        List<byte[]> twice = new ArrayList<>(CONVERSATION);
        twice.addAll(CONVERSATION);
        assertTold(twice, "read within a callback");
    }

    @Test
    void nothingIsToldBehindACloseWithinACallback() {
        byte[] all = concat(CONVERSATION);
        for (int at = 0; at < all.length; at++) {
            again();
            sink.then(each -> reader.close());
            read(all, 0, at);
            read(all, at, all.length);
            read(all, 0, all.length);
            assertThat(sink.told()).as("split at %s", at).hasSize(1);
        }
    }

    @Test
    void theSetOfPassiveTypesMayChangeWithinAMessage() {
        List<byte[]> rows = List.of(message('D', 20), message('D', 20), message('Z', 1));
        byte[] all = concat(rows);
        for (int at = 0; at <= all.length; at++) {
            again();
            reader.passive(0);
            read(all, 0, at);
            reader.passive(ROWS);
            read(all, at, all.length);
            assertThat(sink.bytes()).as("split at %s", at).isEqualTo(all);
            assertThat(sink.told().getLast()).isEqualTo(new Told(50, 'Z', 6, true));
        }
    }

    @Test
    void aLongMessageThatStreamsIsToldOnceAndNeverGathered() {
        again();
        byte[] bind = message('B', 5_000_000);
        read(bind, 0, 3);
        for (int from = 3; from < bind.length; from += 10_000) {
            read(bind, from, Math.min(bind.length, from + 10_000));
            assertThat(allocator.metric().usedHeapMemory()).isLessThan(4L * FrameReader.HEAD);
        }
        assertTold(List.of(bind), "streamed");
        assertThat(sink.told().getFirst().whole()).isFalse();
    }

    @Test
    void theMiddleOfAStreamedMessageIsKnown() {
        again();
        byte[] bind = message('B', 20_000);
        read(bind, 0, 10_000);
        assertThat(reader.midFrame()).isTrue();
        read(bind, 10_000, bind.length);
        assertThat(reader.midFrame()).isFalse();
    }

    @Test
    void aGigabyteAnnouncedAndNotSentTakesNoMemory() {
        again();
        byte[] lie = ByteBuffer.allocate(2_000).put((byte) 'Q').putInt(1 << 30).array();
        read(lie, 0, lie.length);
        assertThat(allocator.metric().usedHeapMemory()).isLessThan(10_000);
        read(lie, 0, lie.length);
        assertThat(allocator.metric().usedHeapMemory()).isLessThan(10_000);
        assertThat(sink.told()).isEmpty();
    }

    @Test
    void whatIsGatheredTakesAtMostFourTimesItsBytes() {
        again();
        byte[] query = message('Q', 12_000_000);
        for (int from = 0; from < query.length; ) {
            int to = Math.min(query.length, from + 100_000);
            read(query, from, to);
            from = to;
            assertThat(allocator.metric().usedHeapMemory()).isLessThanOrEqualTo(4L * from + 64);
        }
        assertTold(List.of(query), "gathered");
    }

    @Test
    void lengthsThatLieAreViolationsHoweverTheyAreSplit() {
        for (int length : new int[] {3, 0, -1, Integer.MIN_VALUE, Integer.MAX_VALUE}) {
            byte[] lie = ByteBuffer.allocate(10).put((byte) 'Q').putInt(length).array();
            for (int at = 0; at < lie.length; at++) {
                again();
                int split = at;
                assertThatThrownBy(() -> {
                            read(lie, 0, split);
                            read(lie, split, lie.length);
                        })
                        .isInstanceOf(ProtocolViolation.class)
                        .hasMessageContaining("invalid message length " + length);
                assertThat(sink.told()).isEmpty();
            }
        }
    }

    @Test
    void nothingIsToldBehindAViolation() {
        again();
        byte[] lie = {'Q', 0, 0, 0, 0};
        assertThatThrownBy(() -> read(lie, 0, lie.length)).isInstanceOf(ProtocolViolation.class);
        byte[] all = concat(CONVERSATION);
        read(all, 0, all.length);
        assertThat(sink.told()).isEmpty();
    }

    @Test
    void aSinkMayRefuseAMessageBeforeItIsWhole() {
        again();
        byte[] refused = message('!', 100);
        assertThatThrownBy(() -> read(refused, 0, 10)).isInstanceOf(ProtocolViolation.class);
    }

    @Test
    void theRestCanBeTakenOutForAnotherReader() {
        byte[] all = concat(CONVERSATION);
        for (int at = 0; at <= all.length; at++) {
            again();
            sink.then(each -> reader.pause());
            read(all, 0, at);
            read(all, at, all.length);
            ByteBuf rest = reader.takeRest();
            byte[] untold = new byte[rest.readableBytes()];
            rest.readBytes(untold).release();
            assertThat(concat(List.of(sink.bytes(), untold)))
                    .as("split at %s", at)
                    .isEqualTo(all);
        }
    }
}
