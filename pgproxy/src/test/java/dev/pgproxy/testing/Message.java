package dev.pgproxy.testing;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;

/**
 * One backend message as received: its type byte and its body without the length. Its text is stable and complete, made
 * to be compared and read; secret keys and salts are not in it. Type {@code ?} holds what an ended connection left without being a message. Immutable as long as nobody
 * writes to {@link #body()}.
 * Source: the manual, "Message Formats".
 */
@SuppressWarnings("ArrayRecordComponent") // equality is by content, see below
public record Message(char type, byte[] body) {

    /** Stands for the end of the connection, whether the peer closed or reset it (TCP does not let us tell reliably). */
    public static final Message CLOSED = new Message('\0', new byte[0]);

    /** Values longer than this are shown as their size and digest. */
    private static final int LONGEST_SHOWN = 400;

    public boolean isReady() {
        return type == 'Z';
    }

    public boolean isClosed() {
        return type == '\0';
    }

    /** The types of messages in order, such as {@code 12TDCZ}; the end of the connection is {@code !}. */
    public static String types(List<Message> messages) {
        StringBuilder types = new StringBuilder();
        messages.forEach(message -> types.append(message.isClosed() ? '!' : message.type));
        return types.toString();
    }

    /** The values of each row of an answer. */
    public static List<List<@Nullable String>> rows(List<Message> answer) {
        return answer.stream()
                .filter(message -> message.type == 'D')
                .map(Message::values)
                .toList();
    }

    /** The values of the first row, which there must be. */
    public static List<@Nullable String> row(List<Message> answer) {
        return rows(answer).stream().findFirst().orElseThrow(() -> new AssertionError(answer));
    }

    /** The names of the columns of an answer, which must have rows or could have. */
    public static List<String> columns(List<Message> answer) {
        Message description = answer.stream()
                .filter(message -> message.type == 'T')
                .findFirst()
                .orElseThrow(() -> new AssertionError(answer));
        ByteBuffer in = ByteBuffer.wrap(description.body);
        List<String> columns = new ArrayList<>();
        for (int left = unsigned(in); left > 0; left--) {
            columns.add(cstring(in));
            in.position(in.position() + 18); // table, column, type, size, modifier, format
        }
        return columns;
    }

    /** The values of a DataRow as text; binary values as hexadecimal digits where they are not UTF-8. */
    public List<@Nullable String> values() {
        if (type != 'D') {
            throw new IllegalStateException("not a DataRow: " + this);
        }
        ByteBuffer in = ByteBuffer.wrap(body);
        List<@Nullable String> values = new ArrayList<>();
        for (int left = unsigned(in); left > 0; left--) {
            byte @Nullable [] value = value(in);
            values.add(value == null ? null : whole(value));
        }
        return values;
    }

    /** A field of an ErrorResponse or NoticeResponse, such as {@code 'C'} for the SQLSTATE; empty if absent. */
    public String field(char name) {
        if (type != 'E' && type != 'N') {
            throw new IllegalStateException("has no fields: " + this);
        }
        ByteBuffer in = ByteBuffer.wrap(body);
        for (char next = (char) in.get(); next != 0; next = (char) in.get()) {
            String value = cstring(in);
            if (next == name) {
                return value;
            }
        }
        return "";
    }

    /** The process id of BackendKeyData or NotificationResponse. */
    public int processId() {
        if (type != 'K' && type != 'A') {
            throw new IllegalStateException("has no process id: " + this);
        }
        return ByteBuffer.wrap(body).getInt();
    }

    /** The secret key of BackendKeyData: 4 bytes in protocol 3.0, 4 to 256 in 3.2. */
    public byte[] secretKey() {
        if (type != 'K') {
            throw new IllegalStateException("has no secret key: " + this);
        }
        return Arrays.copyOfRange(body, 4, body.length);
    }

    /** The code of an authentication request: 0 ok, 3 clear text, 5 MD5, 10 SASL, 11 continue, 12 final. */
    public int authenticationCode() {
        if (type != 'R') {
            throw new IllegalStateException("not an authentication request: " + this);
        }
        return ByteBuffer.wrap(body).getInt();
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Message that && type == that.type && Arrays.equals(body, that.body);
    }

    @Override
    public int hashCode() {
        return 31 * type + Arrays.hashCode(body);
    }

    @Override
    public String toString() {
        ByteBuffer in = ByteBuffer.wrap(body);
        try {
            String text = decode(in).replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r");
            return in.hasRemaining() ? text + " and " + in.remaining() + " bytes too many" : text;
        } catch (BufferUnderflowException tooShort) {
            return "malformed " + (int) type + " " + HexFormat.of().formatHex(body);
        }
    }

    private String decode(ByteBuffer in) {
        return switch (type) {
            case '\0' -> "connection closed";
            case '1' -> "ParseComplete";
            case '2' -> "BindComplete";
            case '3' -> "CloseComplete";
            case 'n' -> "NoData";
            case 's' -> "PortalSuspended";
            case 'I' -> "EmptyQueryResponse";
            case 'c' -> "CopyDone";
            case 'Z' -> "ReadyForQuery " + (char) in.get();
            case 'C' -> "CommandComplete " + cstring(in);
            case 'D' -> "DataRow " + row(in);
            case 'T' -> "RowDescription " + fields(in);
            case 't' -> "ParameterDescription " + oids(in);
            case 'S' -> "ParameterStatus " + cstring(in) + "=" + cstring(in);
            case 'K' -> "BackendKeyData pid=" + in.getInt() + " key of " + skip(in) + " bytes";
            case 'A' -> "NotificationResponse pid=" + in.getInt() + " " + cstring(in) + " '" + cstring(in) + "'";
            case 'E' -> "ErrorResponse" + report(in);
            case 'N' -> "NoticeResponse" + report(in);
            case 'G' -> "CopyInResponse " + copyFormats(in);
            case 'H' -> "CopyOutResponse " + copyFormats(in);
            case 'W' -> "CopyBothResponse " + copyFormats(in);
            case 'd' -> "CopyData " + shown(rest(in));
            case 'V' -> "FunctionCallResponse " + shown(value(in));
            case 'v' -> "NegotiateProtocolVersion " + negotiation(in);
            case 'R' -> "Authentication" + authentication(in);
            case '?' -> "unfinished at the end: " + shown(rest(in));
            default -> "unknown " + (int) type + " " + shown(rest(in));
        };
    }

    private static String authentication(ByteBuffer in) {
        int code = in.getInt();
        return switch (code) {
            case 0 -> "Ok";
            case 3 -> "CleartextPassword";
            case 5 -> "MD5Password salt of " + skip(in) + " bytes";
            case 7 -> "GSS";
            case 9 -> "SSPI";
            case 10 -> {
                List<String> mechanisms = new ArrayList<>();
                for (String name = cstring(in); !name.isEmpty(); name = cstring(in)) {
                    mechanisms.add(name);
                }
                yield "SASL " + mechanisms;
            }
            case 11 -> "SASLContinue of " + skip(in) + " bytes";
            case 12 -> "SASLFinal of " + skip(in) + " bytes";
            default -> "Request " + code + " of " + skip(in) + " bytes";
        };
    }

    private static String row(ByteBuffer in) {
        StringJoiner row = new StringJoiner(" | ", "[", "]");
        for (int left = unsigned(in); left > 0; left--) {
            row.add(shown(value(in)));
        }
        return row.toString();
    }

    private static String fields(ByteBuffer in) {
        StringJoiner fields = new StringJoiner(", ", "[", "]");
        for (int left = unsigned(in); left > 0; left--) {
            fields.add(cstring(in) + " table=" + Integer.toUnsignedString(in.getInt()) + " column=" + in.getShort()
                    + " type=" + Integer.toUnsignedString(in.getInt()) + " size=" + in.getShort() + " modifier="
                    + in.getInt() + " format=" + in.getShort());
        }
        return fields.toString();
    }

    private static String oids(ByteBuffer in) {
        StringJoiner oids = new StringJoiner(", ", "[", "]");
        for (int left = unsigned(in); left > 0; left--) {
            oids.add("type=" + Integer.toUnsignedString(in.getInt()));
        }
        return oids.toString();
    }

    private static String copyFormats(ByteBuffer in) {
        StringJoiner columns = new StringJoiner(",", "overall=" + in.get() + " columns=[", "]");
        for (int left = unsigned(in); left > 0; left--) {
            columns.add(Short.toString(in.getShort()));
        }
        return columns.toString();
    }

    private static String negotiation(ByteBuffer in) {
        int newest = in.getInt();
        List<String> unknown = new ArrayList<>();
        for (int left = in.getInt(); left > 0; left--) {
            unknown.add(cstring(in));
        }
        return "newest=" + (newest >>> 16) + "." + (newest & 0xffff) + " unknown=" + unknown;
    }

    private static String report(ByteBuffer in) {
        StringBuilder report = new StringBuilder();
        for (char name = (char) in.get(); name != 0; name = (char) in.get()) {
            report.append(' ').append(name).append('=').append(cstring(in));
        }
        return report.toString();
    }

    private static int unsigned(ByteBuffer in) {
        return Short.toUnsignedInt(in.getShort());
    }

    private static int skip(ByteBuffer in) {
        int bytes = in.remaining();
        in.position(in.limit());
        return bytes;
    }

    private static byte[] rest(ByteBuffer in) {
        byte[] bytes = new byte[in.remaining()];
        in.get(bytes);
        return bytes;
    }

    private static byte @Nullable [] value(ByteBuffer in) {
        int length = in.getInt();
        if (length == -1) {
            return null;
        }
        if (length < 0 || length > in.remaining()) {
            throw new BufferUnderflowException();
        }
        byte[] value = new byte[length];
        in.get(value);
        return value;
    }

    private static String cstring(ByteBuffer in) {
        int end = in.position();
        while (in.get(requireIn(in, end)) != 0) {
            end++;
        }
        byte[] bytes = new byte[end - in.position()];
        in.get(bytes);
        in.get();
        return whole(bytes);
    }

    private static int requireIn(ByteBuffer in, int index) {
        if (index >= in.limit()) {
            throw new BufferUnderflowException();
        }
        return index;
    }

    private static String shown(byte @Nullable [] value) {
        if (value == null) {
            return "NULL";
        }
        return value.length <= LONGEST_SHOWN ? "'" + whole(value) + "'" : value.length + " bytes " + digest(value);
    }

    /** Text where it is UTF-8 without control characters other than tab and line ends, else hexadecimal digits. */
    private static String whole(byte[] value) {
        try {
            String text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(value))
                    .toString();
            if (text.chars().noneMatch(c -> c < ' ' && c != '\n' && c != '\t' && c != '\r')) {
                return text;
            }
        } catch (CharacterCodingException binary) {
            return "\\x" + HexFormat.of().formatHex(value);
        }
        return "\\x" + HexFormat.of().formatHex(value);
    }

    private static String digest(byte[] value) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(value), 0, 8);
        } catch (NoSuchAlgorithmException missing) {
            throw new AssertionError(missing);
        }
    }
}
