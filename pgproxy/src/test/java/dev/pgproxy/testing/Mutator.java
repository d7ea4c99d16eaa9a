package dev.pgproxy.testing;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;

/** Damages recorded conversations the same way for the same seed. Confined to one thread. */
public final class Mutator {
    private static final int[] LENGTHS = {0, 1, 3, 4, 5, -1, 64, 9_999, 40_000, 0x3fff_fff0, Integer.MAX_VALUE};

    private final SplittableRandom random;

    public Mutator(long seed) {
        random = new SplittableRandom(seed);
    }

    public SplittableRandom random() {
        return random;
    }

    /** A copy with up to four kinds of damage; one in ten stays whole. */
    public List<byte[]> mutate(List<byte[]> messages) {
        List<byte[]> mutant = new ArrayList<>();
        messages.forEach(message -> mutant.add(message.clone()));
        if (random.nextInt(10) > 0) {
            for (int left = random.nextInt(1, 5); left > 0 && !mutant.isEmpty(); left--) {
                damage(mutant);
            }
        }
        return mutant;
    }

    private void damage(List<byte[]> messages) {
        int at = random.nextInt(messages.size());
        byte[] message = messages.get(at);
        switch (random.nextInt(9)) {
            case 0 -> flip(message);
            case 1 -> lie(message, LENGTHS[random.nextInt(LENGTHS.length)]);
            case 2 -> lie(message, message.length - 1 + random.nextInt(-6, 7));
            case 3 -> messages.remove(at);
            case 4 -> messages.add(random.nextInt(messages.size() + 1), message.clone());
            case 5 -> Collections.swap(messages, at, random.nextInt(messages.size()));
            case 6 -> messages.set(at, Arrays.copyOf(message, random.nextInt(message.length + 1)));
            case 7 -> messages.add(at, noise(random.nextInt(1, 40)));
            default -> retype(message);
        }
    }

    private void flip(byte[] message) {
        for (int left = random.nextInt(1, 4); left > 0 && message.length > 0; left--) {
            message[random.nextInt(message.length)] ^= (byte) (1 << random.nextInt(8));
        }
    }

    /** Only the told length changes; the startup packet, which has no type byte, is damaged at random there. */
    private static void lie(byte[] message, int length) {
        if (message.length >= 5) {
            ByteBuffer.wrap(message).putInt(1, length);
        }
    }

    private void retype(byte[] message) {
        if (message.length > 0) {
            message[0] = (byte) "QPBDECSHXFdcfpRZ12\0\u007f".charAt(random.nextInt(20));
        }
    }

    private byte[] noise(int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }

    /** The same bytes in order, cut anywhere, as a network may. */
    public List<byte[]> cut(List<byte[]> messages) {
        ByteArrayOutputStream joined = new ByteArrayOutputStream();
        messages.forEach(joined::writeBytes);
        byte[] all = joined.toByteArray();
        List<byte[]> pieces = new ArrayList<>();
        for (int from = 0; from < all.length; ) {
            int to = Math.min(all.length, from + random.nextInt(1, random.nextBoolean() ? 12 : 4000));
            pieces.add(Arrays.copyOfRange(all, from, to));
            from = to;
        }
        return pieces;
    }
}
