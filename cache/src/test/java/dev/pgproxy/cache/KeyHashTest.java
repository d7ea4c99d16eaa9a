package dev.pgproxy.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class KeyHashTest {
    /**
     * The 64 vectors of SipHash-2-4 with 128 bits of output in the authors' reference (vectors.h): key 00 01 .. 0f, input 00
     * 01 02 .. of 0 to 63 bytes. OpenSSL's SIPHASH gives the same.
     */
    private static final List<String> VECTORS = """
            a3817f04ba25a8e66df67214c7550293
            da87c1d86b99af44347659119b22fc45
            8177228da4a45dc7fca38bdef60affe4
            9c70b60c5267a94e5f33b6b02985ed51
            f88164c12d9c8faf7d0f6e7c7bcd5579
            1368875980776f8854527a07690e9627
            14eeca338b208613485ea0308fd7a15e
            a1f1ebbed8dbc153c0b84aa61ff08239
            3b62a9ba6258f5610f83e264f31497b4
            264499060ad9baabc47f8b02bb6d71ed
            00110dc378146956c95447d3f3d0fbba
            0151c568386b6677a2b4dc6f81e5dc18
            d626b266905ef35882634df68532c125
            9869e247e9c08b10d029934fc4b952f7
            31fcefac66d7de9c7ec7485fe4494902
            5493e99933b0a8117e08ec0f97cfc3d9
            6ee2a4ca67b054bbfd3315bf85230577
            473d06e8738db89854c066c47ae47740
            a426e5e423bf4885294da481feaef723
            78017731cf65fab074d5208952512eb1
            9e25fc833f2290733e9344a5e83839eb
            568e495abe525a218a2214cd3e071d12
            4a29b54552d16b9a469c10528eff0aae
            c9d184ddd5a9f5e0cf8ce29a9abf691c
            2db479ae78bd50d8882a8a178a6132ad
            8ece5f042d5e447b5051b9eacb8d8f6f
            9c0b53b4b3c307e87eaee08678141f66
            abf248af69a6eae4bfd3eb2f129eeb94
            0664da1668574b88b935f3027358aef4
            aa4b9dc4bf337de90cd4fd3c467c6ab7
            ea5c7f471faf6bde2b1ad7d4686d2287
            2939b0183223fafc1723de4f52c43d35
            7c3956ca5eeafc3e363e9d556546eb68
            77c6077146f01c32b6b69d5f4ea9ffcf
            37a6986cb8847edf0925f0f1309b54de
            a705f0e69da9a8f907241a2e923c8cc8
            3dc47d1f29c448461e9e76ed904f6711
            0d62bf01e6fc0e1a0d3c4751c5d3692b
            8c03468bca7c669ee4fd5e084bbee7b5
            528a5bb93baf2c9c4473cce5d0d22bd9
            df6a301e95c95dad97ae0cc8c6913bd8
            801189902c857f39e73591285e70b6db
            e617346ac9c231bb3650ae34ccca0c5b
            27d93437efb721aa401821dcec5adf89
            89237d9ded9c5e78d8b1c9b166cc7342
            4a6d8091bf5e7d651189fa94a250b14c
            0e33f96055e7ae893ffc0e3dcf492902
            e61c432b720b19d18ec8d84bdc63151b
            f7e5aef549f782cf379055a608269b16
            438d030fd0b7a54fa837f2ad201a6403
            a590d3ee4fbf04e3247e0d27f286423f
            5fe2c1a172fe93c4b15cd37caef9f538
            2c97325cbd06b36eb2133dd08b3a017c
            92c814227a6bca949ff0659f002ad39e
            dce850110bd8328cfbd50841d6911d87
            67f14984c7da791248e32bb5922583da
            1938f2cf72d54ee97e94166fa91d2a36
            74481e9646ed49fe0f6224301604698e
            57fca5de98a9d6d8006438d0583d8a1d
            9fecde1cefdc1cbed4763674d9575359
            e3040c00eb28f15366ca73cbd872e740
            7697009a6a831dfecca91c5993670f7a
            5853542321f567a005d547a4f04759bd
            5150d1772f50834a503e069a973fbd7c
            """.lines().toList();

    private record Key(long high, long low) {}

    private final KeyHash hash = new KeyHash(0x0706050403020100L, 0x0f0e0d0c0b0a0908L);

    private Key key() {
        hash.finish();
        return new Key(hash.high(), hash.low());
    }

    @Test
    void isSipHashByTheAuthorsVectors() {
        for (int length = 0; length < VECTORS.size(); length++) {
            ByteBuffer input = ByteBuffer.allocate(64).order(ByteOrder.LITTLE_ENDIAN);
            for (int i = 0; i < length; i++) {
                input.put((byte) i);
            }
            input.flip();
            while (input.remaining() >= Long.BYTES) {
                hash.word(input.getLong());
            }
            long rest = 0;
            int restBytes = input.remaining();
            for (int i = 0; i < restBytes; i++) {
                rest |= (input.get() & 0xffL) << (8 * i);
            }
            hash.finish(rest, restBytes);
            byte[] output = ByteBuffer.allocate(16)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putLong(hash.high())
                    .putLong(hash.low())
                    .array();
            assertThat(HexFormat.of().formatHex(output)).as("%d bytes", length).isEqualTo(VECTORS.get(length));
        }
    }

    @Test
    void fieldsAreTheWordsThatAreDocumented() {
        hash.addInt(-1);
        hash.addLong(7);
        hash.addBytes(new byte[] {99, 1, 2, 3, 4, 5, 6, 7, 8, (byte) 0xfe, 99}, 1, 9);
        hash.addBytes(new byte[] {(byte) 0x80, 3}, 0, 2);
        hash.addBytes(new byte[0], 0, 0);
        Key fields = key();
        for (long word : new long[] {
            0x01000000ffffffffL,
            0x0200000000000000L,
            7,
            0x0300000000000009L,
            0x0807060504030201L,
            0xfe,
            0x0300000000000002L,
            0x0380,
            0x0300000000000000L
        }) {
            hash.word(word);
        }
        assertThat(key()).isEqualTo(fields);
    }

    @Test
    void sequencesOfFieldsThatDifferHaveKeysThatDifferAndEqualOnesTheSame() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        Map<Key, String> sequences = new HashMap<>();
        Set<String> distinct = new HashSet<>();
        for (int i = 0; i < 200_000; i++) {
            StringBuilder sequence = new StringBuilder();
            for (int fields = random.nextInt(4); fields > 0; fields--) {
                sequence.append(feedOne(random));
            }
            distinct.add(sequence.toString());
            String other = sequences.putIfAbsent(key(), sequence.toString());
            if (other != null) {
                assertThat(other).as("seed %d", seed).isEqualTo(sequence.toString());
            }
        }
        assertThat(sequences.size())
                .as("seed %d", seed)
                .isEqualTo(distinct.size())
                .isBetween(20_000, 190_000);
    }

    /** Feeds a field out of few values, chosen so that many would look alike without their kinds and lengths. */
    private String feedOne(Random random) {
        int value = random.nextInt(3);
        long[] words = {value, 1L << 56 | value, 2L << 56, 3L << 56 | value, 3L << 56 | 8};
        long word = words[random.nextInt(words.length)];
        switch (random.nextInt(3)) {
            case 0 -> {
                hash.addInt((int) word);
                return "int " + (int) word + ';';
            }
            case 1 -> {
                hash.addLong(word);
                return "long " + word + ';';
            }
            default -> {
                byte[] field = ByteBuffer.allocate(16)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putLong(word)
                        .putLong(value)
                        .array();
                int from = random.nextInt(3);
                int length = random.nextInt(5) * 4 - from;
                if (length < 0) {
                    from = 0;
                    length = 0;
                }
                hash.addBytes(field, from, length);
                return "bytes " + Arrays.toString(Arrays.copyOfRange(field, from, from + length)) + ';';
            }
        }
    }

    @Test
    void oneBitOfALongFieldChangesTheKeyAndItsPlaceInTheArrayDoesNot() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        for (int length = 1; length < 200; length++) {
            byte[] field = new byte[length + 20];
            random.nextBytes(field);
            hash.addBytes(field, 0, length);
            Key key = key();
            int place = random.nextInt(20);
            System.arraycopy(field, 0, field, place, length);
            hash.addBytes(field, place, length);
            assertThat(key()).as("seed %d, %d bytes", seed, length).isEqualTo(key);
            field[place + random.nextInt(length)] ^= (byte) (1 << random.nextInt(8));
            hash.addBytes(field, place, length);
            assertThat(key()).as("seed %d, %d bytes", seed, length).isNotEqualTo(key);
        }
    }

    @Test
    void aKeyThatWasBegunLeavesNothingAfterReset() {
        hash.addInt(5);
        Key key = key();
        hash.addLong(6);
        hash.reset();
        hash.addInt(5);
        assertThat(key()).isEqualTo(key);
    }

    @Test
    void secretsAreRandomSharedOnlyByAnotherAndNotPrinted() {
        KeyHash one = KeyHash.random();
        KeyHash same = one.another();
        KeyHash stranger = KeyHash.random();
        for (KeyHash each : List.of(one, same, stranger)) {
            each.addInt(1);
            each.finish();
        }
        assertThat(same.high()).isEqualTo(one.high());
        assertThat(same.low()).isEqualTo(one.low());
        assertThat(stranger.high()).isNotEqualTo(one.high());
        assertThat(stranger.low()).isNotEqualTo(one.low());
        Object printed = new KeyHash(0x123456789abcdefL, 0x123456789abcdefL);
        assertThat(printed.toString()).matches("dev\\.pgproxy\\.cache\\.KeyHash@[0-9a-f]{1,8}");
    }

    @Test
    void aRangeOutsideOfTheArrayIsRefused() {
        assertThatThrownBy(() -> hash.addBytes(new byte[4], 1, 4)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> hash.addBytes(new byte[4], 0, -1)).isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Test
    void feedingAndFinishingAllocateNothing() {
        byte[] field = new byte[100];
        feed(field, 100_000);
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadAllocatedBytes();
        feed(field, 100_000);
        assertThat(threads.getCurrentThreadAllocatedBytes() - before).isLessThan(100_000);
    }

    private void feed(byte[] field, int times) {
        for (int i = 0; i < times; i++) {
            hash.addInt(i);
            hash.addLong(i);
            hash.addBytes(field, 0, field.length);
            hash.finish();
        }
    }

    @Test
    void processesWithTheSameSecretMakeTheSameKeys() {
        byte[] secret = "sixteen bytes are enough".getBytes(StandardCharsets.US_ASCII);
        KeyHash one = KeyHash.of(secret);
        KeyHash two = KeyHash.of(secret.clone());
        secret[3]++;
        KeyHash other = KeyHash.of(secret);
        for (KeyHash hash : List.of(one, two, other)) {
            hash.addLong(42);
            hash.finish();
        }
        assertThat(one.high()).isEqualTo(two.high()).isNotEqualTo(other.high());
        assertThat(one.low()).isEqualTo(two.low()).isNotEqualTo(other.low());
    }

    @Test
    void aSecretThatIsTooShortIsRefusedWithoutBeingTold() {
        assertThatThrownBy(() -> KeyHash.of("fifteen bytes!!".getBytes(StandardCharsets.US_ASCII)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageNotContaining("fifteen");
    }
}
