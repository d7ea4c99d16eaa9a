package dev.pgproxy.client;

import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.backend.SqlState;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What becomes of an {@code application_name} in PostgreSQL. Immutable. Source: src/backend/parser/scansup.c
 * (truncate_identifier), src/common/string.c (pg_clean_ascii).
 *
 * @param given as the client wrote it
 */
record ApplicationName(String given) {
    /** NAMEDATALEN - 1, in bytes. */
    private static final int MAX = 63;

    /** From this version on bytes that are no printable ASCII are shown in hexadecimal. */
    private static final int ESCAPES_FROM = 16;

    /** Whole characters of at most 63 bytes. */
    private String cut() {
        byte[] bytes = given.getBytes(StandardCharsets.UTF_8);
        int end = Math.min(bytes.length, MAX);
        while (end < bytes.length && (bytes[end] & 0xc0) == 0x80) {
            end--;
        }
        return new String(bytes, 0, end, StandardCharsets.UTF_8);
    }

    /** As it is reported by a server of this version. */
    String reported(@Nullable String serverVersion) {
        String major = serverVersion == null ? "" : serverVersion.replaceFirst("\\D.*", "");
        boolean escapes = major.isEmpty() || Integer.parseInt(major) >= ESCAPES_FROM;
        StringBuilder out = new StringBuilder(given.length());
        for (byte b : cut().getBytes(StandardCharsets.UTF_8)) {
            if (b >= ' ' && b <= '~') {
                out.append((char) b);
            } else {
                out.append(escapes ? String.format(Locale.ROOT, "\\x%02x", b) : "?");
            }
        }
        return out.toString();
    }

    /** The NOTICE that it is too long; null if it is not, or {@code client_min_messages} wants none. */
    @Nullable
    ErrorFields notice(String clientMinMessages) {
        String least = clientMinMessages.toLowerCase(Locale.ROOT);
        String cut = cut();
        return cut.equals(given) || least.equals("warning") || least.equals("error")
                ? null
                : ErrorFields.notice(
                        SqlState.NAME_TOO_LONG, "identifier \"" + given + "\" will be truncated to \"" + cut + "\"");
    }
}
