package dev.pgproxy.cache.feed;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeParseException;
import java.time.temporal.ChronoUnit;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads what the plugin {@code test_decoding} writes with {@code include-xids} and {@code include-timestamp} in time zone
 * UTC (contrib/test_decoding/test_decoding.c), one message at a time and of each only its beginning:
 *
 * <pre>
 *   BEGIN xid
 *   table schema.name: INSERT: ...      and UPDATE, DELETE; names as quote_identifier() writes them
 *   table a.b, c.d: TRUNCATE: ...
 *   message: ...                        of pg_logical_emit_message(), in a transaction or outside
 *   COMMIT xid (at 2026-11-21 20:15:00.123456+00)
 * </pre>
 *
 * The text is in the encoding of the database. Anything else counts as a change of everything. Keeps names of tables only.
 * Confined to the thread of its stream.
 */
final class ChangeText {
    private static final byte[] NOTHING = {};
    private static final byte[] BEGIN = ascii("BEGIN ");
    private static final byte[] COMMIT = ascii("COMMIT ");
    private static final byte[] TABLE = ascii("table ");
    private static final byte[] MESSAGE = ascii("message: ");
    private static final byte[] COMMA = ascii(", ");
    private static final byte[][] CHANGES = {
        ascii(": INSERT:"), ascii(": UPDATE:"), ascii(": DELETE:"), ascii(": TRUNCATE:")
    };

    /** The shortest: (at 2026-11-21 20:15:00+00). */
    private static final int AT_LEAST = "(at 2026-11-21 20:15:00+00)".length();

    private final CharsetDecoder decoder;
    private final int maxTables;
    private Set<TableName> tables = new HashSet<>();
    private boolean everything;
    private long changes;

    private byte[] bytes = NOTHING;
    private int at;

    ChangeText(Charset charset, int maxTables) {
        // reports what it cannot decode
        this.decoder = charset.newDecoder();
        this.maxTables = maxTables;
    }

    /**
     * Takes the next message, from an offset on.
     *
     * @return the transaction if this ends it
     * @throws IllegalStateException if it ends one without saying which
     */
    @Nullable
    Written accept(byte[] message, int from) {
        bytes = message;
        at = from;
        try {
            if (skip(TABLE)) {
                changes++;
                if (!readTables()) {
                    everything = true;
                }
            } else if (skip(COMMIT)) {
                return end();
            } else if (skip(BEGIN)) {
                clear();
            } else if (!skip(MESSAGE)) {
                everything = true;
            }
            return null;
        } finally {
            bytes = NOTHING;
        }
    }

    private Written end() {
        int digits = at;
        while (at < bytes.length && bytes[at] >= '0' && bytes[at] <= '9') {
            at++;
        }
        String xid = new String(bytes, digits, at - digits, StandardCharsets.US_ASCII);
        if (xid.isEmpty()) {
            throw new IllegalStateException("test_decoding told of a commit without its transaction");
        }
        Written written = new Written(
                Integer.parseUnsignedInt(xid), everything ? Set.of() : tables, everything, changes, committed());
        clear();
        return written;
    }

    private void clear() {
        tables = new HashSet<>();
        everything = false;
        changes = 0;
    }

    /** For measuring only: what is not understood is left out. */
    private long committed() {
        if (bytes.length - at < AT_LEAST) {
            return 0;
        }
        String text = new String(bytes, at, bytes.length - at, StandardCharsets.US_ASCII);
        if (!text.startsWith(" (at ") || !text.endsWith("+00)")) {
            return 0;
        }
        try {
            Instant instant = LocalDateTime.parse(text.substring(" (at ".length(), text.length() - "+00)".length())
                            .replace(' ', 'T'))
                    .toInstant(ZoneOffset.UTC);
            return ChronoUnit.MICROS.between(Instant.EPOCH, instant);
        } catch (DateTimeParseException e) {
            return 0;
        }
    }

    /** Whether all was as expected. */
    private boolean readTables() {
        do {
            String schema = identifier();
            if (schema == null || at >= bytes.length || bytes[at] != '.') {
                return false;
            }
            at++;
            String name = identifier();
            if (name == null) {
                return false;
            }
            if (!everything && tables.add(new TableName(schema, name)) && tables.size() > maxTables) {
                everything = true;
                tables = new HashSet<>();
            }
        } while (skip(COMMA));
        for (byte[] change : CHANGES) {
            if (skip(change)) {
                return true;
            }
        }
        return false;
    }

    /** Quoted, or of letters, digits and underscores. */
    private @Nullable String identifier() {
        if (at < bytes.length && bytes[at] == '"') {
            return quoted();
        }
        int from = at;
        while (at < bytes.length && isPlain(bytes[at])) {
            at++;
        }
        return at == from ? null : decode(from, at);
    }

    private @Nullable String quoted() {
        int from = ++at;
        boolean doubled = false;
        while (at < bytes.length) {
            if (bytes[at] != '"') {
                at++;
            } else if (at + 1 < bytes.length && bytes[at + 1] == '"') {
                doubled = true;
                at += 2;
            } else {
                String text = decode(from, at);
                at++;
                return doubled && text != null ? text.replace("\"\"", "\"") : text;
            }
        }
        return null;
    }

    private static boolean isPlain(byte b) {
        return b >= 'a' && b <= 'z' || b >= '0' && b <= '9' || b == '_';
    }

    private @Nullable String decode(int from, int to) {
        try {
            return decoder.decode(ByteBuffer.wrap(bytes, from, to - from)).toString();
        } catch (CharacterCodingException e) {
            return null;
        }
    }

    private boolean skip(byte[] expected) {
        int end = at + expected.length;
        if (end > bytes.length) {
            return false;
        }
        for (int i = 0; i < expected.length; i++) {
            if (bytes[at + i] != expected[i]) {
                return false;
            }
        }
        at = end;
        return true;
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
