package dev.pgproxy.protocol.auth;

import java.util.Base64;
import org.jspecify.annotations.Nullable;

/** Base64 in its one canonical spelling (RFC 4648 section 4, padded, no white space). Stateless, thread-safe. */
final class Base64Text {
    private Base64Text() {}

    static String encode(byte[] bytes) {
        return Base64.getEncoder().encodeToString(bytes);
    }

    /** The bytes, or null where the text is anything but what {@link #encode} would have written for them. */
    static byte @Nullable [] decode(String text) {
        try {
            byte[] bytes = Base64.getDecoder().decode(text);
            return encode(bytes).equals(text) ? bytes : null;
        } catch (IllegalArgumentException e) {
            return null;
        }
    }
}
