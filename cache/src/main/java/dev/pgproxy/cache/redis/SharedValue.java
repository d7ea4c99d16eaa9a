package dev.pgproxy.cache.redis;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * A result as bytes in Redis, numbers in network order:
 *
 * <pre>
 *    0  version, 1
 *    1  flags: 1 compressed (zlib)
 *    2  epoch, 16 bytes
 *   18  when it was recorded, in milliseconds since 1970
 *   26  when it expires, likewise
 *   34  length of the result
 *   38  the result
 *       the first 16 bytes of the HMAC-SHA-256 of the key (16 bytes) and everything before
 * </pre>
 *
 * <p>Who can write to Redis but does not know the secret can neither make a value nor move one to another key; he can bring
 * back one that was there before, which its epoch tells apart. Confined to one thread.
 */
final class SharedValue {
    private static final byte VERSION = 1;
    private static final byte COMPRESSED = 1;
    private static final int HEADER = 38;
    private static final int MAC = 16;

    private final Mac mac;
    private final int maxResult;
    private final int compressOver;

    /**
     * One that writes and reads.
     *
     * @param secret that all instances share; not kept
     */
    SharedValue(byte[] secret, int maxResult, int compressOver) {
        this.maxResult = maxResult;
        this.compressOver = compressOver;
        try {
            Mac derive = Mac.getInstance("HmacSHA256");
            derive.init(new SecretKeySpec(secret, "HmacSHA256"));
            byte[] own = derive.doFinal("pgproxy shared value".getBytes(StandardCharsets.US_ASCII));
            mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(own, "HmacSHA256"));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("Every Java platform has HmacSHA256", e);
        }
    }

    /** The bytes of a result recorded at this moment, in milliseconds since 1970. */
    byte[] write(long high, long low, SharedResult result, long now) {
        byte[] payload = result.bytes();
        byte flags = 0;
        if (payload.length > compressOver) {
            byte[] compressed = compressed(payload);
            if (compressed.length < payload.length) {
                payload = compressed;
                flags = COMPRESSED;
            }
        }
        ByteBuffer value = ByteBuffer.allocate(HEADER + payload.length + MAC);
        value.put(VERSION).put(flags);
        value.putLong(result.epoch().high()).putLong(result.epoch().low());
        value.putLong(now - result.ageMillis()).putLong(now + result.leftMillis());
        value.putInt(result.bytes().length).put(payload);
        value.put(mac(high, low, value.array(), value.position()), 0, MAC);
        return value.array();
    }

    /** The result in these bytes, expired or not; null if they do not verify. */
    @Nullable
    SharedResult read(long high, long low, byte[] bytes, long now) {
        int end = bytes.length - MAC;
        if (end < HEADER
                || !MessageDigest.isEqual(
                        Arrays.copyOfRange(bytes, end, bytes.length), Arrays.copyOf(mac(high, low, bytes, end), MAC))) {
            return null;
        }
        ByteBuffer value = ByteBuffer.wrap(bytes, 0, end);
        byte version = value.get();
        byte flags = value.get();
        Epoch epoch = new Epoch(value.getLong(), value.getLong());
        long recorded = value.getLong();
        long expires = value.getLong();
        int length = value.getInt();
        if (version != VERSION || flags > COMPRESSED || length < 0 || length > maxResult) {
            return null;
        }
        byte[] payload = flags == COMPRESSED
                ? inflated(bytes, HEADER, end - HEADER, length)
                : Arrays.copyOfRange(bytes, HEADER, end);
        if (payload == null || payload.length != length) {
            return null;
        }
        return new SharedResult(payload, epoch, Math.max(0, now - recorded), expires - now);
    }

    private byte[] mac(long high, long low, byte[] bytes, int length) {
        mac.update(ByteBuffer.allocate(16).putLong(high).putLong(low).flip());
        mac.update(bytes, 0, length);
        return mac.doFinal();
    }

    private static byte[] compressed(byte[] bytes) {
        Deflater deflater = new Deflater(Deflater.BEST_SPEED);
        try {
            deflater.setInput(bytes);
            deflater.finish();
            ByteArrayOutputStream out = new ByteArrayOutputStream(bytes.length / 2);
            byte[] part = new byte[Math.min(bytes.length, 16384)];
            while (!deflater.finished()) {
                out.write(part, 0, deflater.deflate(part));
            }
            return out.toByteArray();
        } finally {
            deflater.end();
        }
    }

    private static byte @Nullable [] inflated(byte[] bytes, int offset, int length, int result) {
        Inflater inflater = new Inflater();
        try {
            inflater.setInput(bytes, offset, length);
            byte[] out = new byte[result];
            int inflated = inflater.inflate(out);
            return inflated == result ? out : null;
        } catch (DataFormatException e) {
            return null;
        } finally {
            inflater.end();
        }
    }
}
