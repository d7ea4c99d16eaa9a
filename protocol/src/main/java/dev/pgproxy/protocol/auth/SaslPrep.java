package dev.pgproxy.protocol.auth;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.text.Normalizer;
import org.jspecify.annotations.Nullable;

/**
 * SASLprep (RFC 4013) as PostgreSQL applies it to passwords (src/common/saslprep.c and its callers): where the profile
 * would refuse, because the bytes are no valid UTF-8 or a character is prohibited, the password is used as it is. So
 * every password works, and equal ones stay equal. Stateless, thread-safe.
 *
 * <p>The RFC looks for prohibited characters after normalisation. PostgreSQL looks at what it has mapped but not yet
 * normalised, and the two differ for some passwords (U+0341 and U+FE7B alone, for example): so we do as PostgreSQL does.
 */
public final class SaslPrep {
    private SaslPrep() {}

    /** The bytes to derive keys from; the argument itself where nothing changes. */
    public static byte[] prepare(byte[] password) {
        if (isAscii(password)) {
            return password;
        }
        String text = decode(password);
        if (text == null) {
            return password;
        }
        String mapped = map(text);
        if (mapped.isEmpty() || !permitted(mapped.codePoints().toArray())) {
            return password;
        }
        return Normalizer.normalize(mapped, Normalizer.Form.NFKC).getBytes(StandardCharsets.UTF_8);
    }

    private static boolean isAscii(byte[] bytes) {
        for (byte b : bytes) {
            if (b < 0) {
                return false;
            }
        }
        return true;
    }

    private static @Nullable String decode(byte[] bytes) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException e) {
            return null;
        }
    }

    /** Step 1 (section 2.1). U+200B is in both tables; PostgreSQL lets the space win. */
    private static String map(String text) {
        StringBuilder mapped = new StringBuilder(text.length());
        text.codePoints().forEach(c -> {
            if (StringprepTable.NON_ASCII_SPACE.contains(c)) {
                mapped.append(' ');
            } else if (!StringprepTable.MAPPED_TO_NOTHING.contains(c)) {
                mapped.appendCodePoint(c);
            }
        });
        return mapped.toString();
    }

    /** Steps 3 and 4 (sections 2.3 and 2.4, RFC 3454 section 6). */
    private static boolean permitted(int[] text) {
        boolean rightToLeft = false;
        boolean leftToRight = false;
        for (int c : text) {
            if (StringprepTable.PROHIBITED.contains(c)) {
                return false;
            }
            rightToLeft |= StringprepTable.RIGHT_TO_LEFT.contains(c);
            leftToRight |= StringprepTable.LEFT_TO_RIGHT.contains(c);
        }
        boolean framed = StringprepTable.RIGHT_TO_LEFT.contains(text[0])
                && StringprepTable.RIGHT_TO_LEFT.contains(text[text.length - 1]);
        return !rightToLeft || (framed && !leftToRight);
    }
}
