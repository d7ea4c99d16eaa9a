package dev.pgproxy.protocol.backend;

import dev.pgproxy.protocol.frame.BackendType;
import dev.pgproxy.protocol.frame.CString;
import dev.pgproxy.protocol.frame.FrameReader;
import io.netty.buffer.ByteBuf;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The fields of an ErrorResponse or NoticeResponse, by their field-type character, in order. Immutable. Source: manual,
 * "Error and Notice Message Fields".
 *
 * <pre>
 *   type 'E' or 'N', length, then for each field: Byte1 field type, String value; a zero byte ends
 * </pre>
 */
public record ErrorFields(Map<Character, String> fields) {
    private static final String ERROR = "ERROR";
    private static final String FATAL = "FATAL";
    private static final String NOTICE = "NOTICE";

    /** Copies the fields. */
    public ErrorFields {
        fields = java.util.Collections.unmodifiableMap(new LinkedHashMap<>(fields));
    }

    /** An error that ends a statement. */
    public static ErrorFields error(SqlState state, String message) {
        return of(ERROR, state.code(), message, null);
    }

    /** An error that ends a statement, with a hint on what to do. */
    public static ErrorFields error(SqlState state, String message, String hint) {
        return of(ERROR, state.code(), message, hint);
    }

    /** An error that ends the connection. */
    public static ErrorFields fatal(SqlState state, String message) {
        return of(FATAL, state.code(), message, null);
    }

    /** An error that ends the connection, with a hint on what to do. */
    public static ErrorFields fatal(SqlState state, String message, String hint) {
        return of(FATAL, state.code(), message, hint);
    }

    /** A notice. */
    public static ErrorFields notice(String message, @Nullable String hint) {
        return of(NOTICE, "00000", message, hint);
    }

    /** A notice of a kind of its own. */
    public static ErrorFields notice(SqlState state, String message) {
        return of(NOTICE, state.code(), message, null);
    }

    /** The same, as from this routine of PostgreSQL's sources: some drivers go by it. */
    public ErrorFields withRoutine(String routine) {
        Map<Character, String> map = new LinkedHashMap<>(fields);
        map.put('R', routine);
        return new ErrorFields(map);
    }

    /** The same with a DETAIL. */
    public ErrorFields withDetail(String detail) {
        Map<Character, String> map = new LinkedHashMap<>(fields);
        map.put('D', detail);
        return new ErrorFields(map);
    }

    private static ErrorFields of(String severity, String code, String message, @Nullable String hint) {
        Map<Character, String> map = new LinkedHashMap<>();
        map.put('S', severity);
        map.put('V', severity);
        map.put('C', code);
        map.put('M', message);
        if (hint != null) {
            map.put('H', hint);
        }
        return new ErrorFields(map);
    }

    /** Reads a whole ErrorResponse or NoticeResponse. */
    public static ErrorFields read(ByteBuf buf, int index, int length) {
        return read(buf, index, index + length, true);
    }

    /** Reads the fields that are whole in the beginning of a long one: severity and SQLSTATE come first. */
    public static ErrorFields readBeginning(ByteBuf buf, int index) {
        return read(buf, index, buf.writerIndex(), false);
    }

    private static ErrorFields read(ByteBuf buf, int index, int end, boolean whole) {
        Map<Character, String> map = new LinkedHashMap<>();
        int i = index + FrameReader.HEADER;
        while (i < end) {
            char field = (char) buf.getByte(i++);
            int zero = CString.find(buf, i, end);
            if (field == 0 || zero < 0 && !whole) {
                break;
            }
            map.put(field, CString.read(buf, i, end));
            i = zero + 1;
        }
        return new ErrorFields(map);
    }

    /** The SQLSTATE. */
    public String code() {
        return fields.getOrDefault('C', "XX000");
    }

    /** The message. */
    public String message() {
        return fields.getOrDefault('M', "");
    }

    /** The hint, if any. */
    public @Nullable String hint() {
        return fields.get('H');
    }

    /** Whether the sender closes the connection behind it. */
    public boolean isFatal() {
        String severity = fields.getOrDefault('V', fields.getOrDefault('S', ERROR));
        return severity.equals(FATAL) || severity.equals("PANIC");
    }

    /** The same as an error that ends the connection. */
    public ErrorFields asFatal() {
        Map<Character, String> map = new LinkedHashMap<>(fields);
        map.put('S', FATAL);
        map.put('V', FATAL);
        return new ErrorFields(map);
    }

    /** Appends it as an ErrorResponse. */
    public void write(ByteBuf out) {
        write(out, BackendType.ERROR_RESPONSE);
    }

    /** Appends it as a message of the given type ({@code E} or {@code N}). */
    public void write(ByteBuf out, byte type) {
        int start = out.writerIndex();
        out.writeByte(type).writeInt(0);
        for (Map.Entry<Character, String> field : fields.entrySet()) {
            out.writeByte(field.getKey());
            CString.write(out, field.getValue());
        }
        out.writeByte(0);
        out.setInt(start + 1, out.writerIndex() - start - 1);
    }

    @Override
    public String toString() {
        return code() + ": " + message();
    }
}
