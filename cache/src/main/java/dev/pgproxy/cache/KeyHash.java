package dev.pgproxy.cache;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Objects;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Makes the 128-bit key of a result out of fields fed one after the other: SipHash-2-4 with 128 bits of output (Aumasson and
 * Bernstein, "SipHash: a fast short-input PRF", 2012). Clients choose the bytes, so the hash is keyed with a secret: nobody
 * who does not know it can make two inputs meet.
 *
 * <p>No two sequences of fields give the hash the same bytes. Each field is a whole number of 64-bit words, of which the
 * first tells its kind (highest byte) and its length, so that the words can be read back in one way only:
 *
 * <pre>
 *   int     01 | 0 (24 bits) | the value (32 bits)
 *   long    02 | 0 (56 bits), the value
 *   bytes   03 | 0 (24 bits) | length (32 bits), the bytes in little-endian words, the last filled up with zeros
 * </pre>
 *
 * <p>To be reused; feeding and finishing allocate nothing. Confined to one thread.
 */
public final class KeyHash {
    private static final VarHandle WORD = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final long INT = 1L << 56;
    private static final long LONG = 2L << 56;
    private static final long BYTES = 3L << 56;

    private static final int MIN_SECRET = 16;

    private static final int COMPRESSION = 2;
    private static final int FINALIZATION = 4;

    private final long secret0;
    private final long secret1;
    private long v0;
    private long v1;
    private long v2;
    private long v3;
    private long words;
    private long high;
    private long low;

    KeyHash(long secret0, long secret1) {
        this.secret0 = secret0;
        this.secret1 = secret1;
        reset();
    }

    /** One with a new secret. Keys compare with those of the same secret only: one call per process, then {@link #another}. */
    public static KeyHash random() {
        SecureRandom random = new SecureRandom();
        return new KeyHash(random.nextLong(), random.nextLong());
    }

    /**
     * One whose keys compare with those of every process that was given the same secret.
     *
     * @param secret of at least 16 bytes that cannot be guessed; not kept
     */
    public static KeyHash of(byte[] secret) {
        if (secret.length < MIN_SECRET) {
            throw new IllegalArgumentException("A secret of less than " + MIN_SECRET + " bytes can be guessed");
        }
        return new KeyHash(derived(secret, "pgproxy key hash 0"), derived(secret, "pgproxy key hash 1"));
    }

    /** Different words of one secret: what is done with one tells nothing about the other. */
    private static long derived(byte[] secret, String label) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(secret, "HmacSHA256"));
            return (long) WORD.get(mac.doFinal(label.getBytes(StandardCharsets.US_ASCII)), 0);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("Every Java platform has HmacSHA256", e);
        }
    }

    /** One with the same secret, for another thread. */
    public KeyHash another() {
        return new KeyHash(secret0, secret1);
    }

    /** Forgets what was fed since the last key. Needed only where a key was begun and not finished. */
    public void reset() {
        // the paper's constants; 0xee asks for 128 bits of output
        v0 = secret0 ^ 0x736f6d6570736575L;
        v1 = secret1 ^ 0x646f72616e646f6dL ^ 0xee;
        v2 = secret0 ^ 0x6c7967656e657261L;
        v3 = secret1 ^ 0x7465646279746573L;
        words = 0;
    }

    /** Feeds a field of 32 bits. */
    public void addInt(int value) {
        word(INT | Integer.toUnsignedLong(value));
    }

    /** Feeds a field of 64 bits. */
    public void addLong(long value) {
        word(LONG);
        word(value);
    }

    /** Feeds a field of so many bytes. */
    public void addBytes(byte[] bytes, int offset, int length) {
        Objects.checkFromIndexSize(offset, length, bytes.length);
        word(BYTES | length);
        int end = offset + length;
        int at = offset;
        for (; at <= end - Long.BYTES; at += Long.BYTES) {
            word((long) WORD.get(bytes, at));
        }
        int rest = end - at;
        if (rest == 0) {
            return;
        }
        if (length >= Long.BYTES) {
            word((long) WORD.get(bytes, end - Long.BYTES) >>> (Long.SIZE - Byte.SIZE * rest));
            return;
        }
        long last = 0;
        for (int i = 0; i < rest; i++) {
            last |= (bytes[at + i] & 0xffL) << (Byte.SIZE * i);
        }
        word(last);
    }

    /** Ends the key, which {@link #high} and {@link #low} give until the next call, and is ready for the next one. */
    public void finish() {
        finish(0, 0);
    }

    /** The first 64 bits of the last key. */
    public long high() {
        return high;
    }

    /** The other 64 bits of the last key. */
    public long low() {
        return low;
    }

    /** Feeds eight bytes of SipHash's input. */
    void word(long word) {
        words++;
        mix(word, COMPRESSION);
    }

    /** Ends SipHash's input with up to seven bytes more, the first in the lowest byte of {@code rest}. */
    void finish(long rest, int restBytes) {
        mix((words * Long.BYTES + restBytes) << 56 | rest, COMPRESSION);
        v2 ^= 0xee;
        mix(0, FINALIZATION);
        high = v0 ^ v1 ^ v2 ^ v3;
        v1 ^= 0xdd;
        mix(0, FINALIZATION);
        low = v0 ^ v1 ^ v2 ^ v3;
        reset();
    }

    private void mix(long word, int rounds) {
        long a = v0;
        long b = v1;
        long c = v2;
        long d = v3 ^ word;
        for (int i = 0; i < rounds; i++) {
            a += b;
            b = Long.rotateLeft(b, 13) ^ a;
            a = Long.rotateLeft(a, 32);
            c += d;
            d = Long.rotateLeft(d, 16) ^ c;
            a += d;
            d = Long.rotateLeft(d, 21) ^ a;
            c += b;
            b = Long.rotateLeft(b, 17) ^ c;
            c = Long.rotateLeft(c, 32);
        }
        v0 = a ^ word;
        v1 = b;
        v2 = c;
        v3 = d;
    }
}
