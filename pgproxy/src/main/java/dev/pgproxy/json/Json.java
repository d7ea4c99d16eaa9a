package dev.pgproxy.json;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** A JSON object or array while it is written. Confined to the thread that writes it. Source: RFC 8259. */
public final class Json {
    private final StringBuilder text = new StringBuilder();
    private final char end;

    private Json(char begin, char end) {
        text.append(begin);
        this.end = end;
    }

    /** An object without members. */
    public static Json object() {
        return new Json('{', '}');
    }

    /** An array without elements. */
    public static Json array() {
        return new Json('[', ']');
    }

    /** A text, or null. */
    public Json put(String name, @Nullable String value) {
        name(name);
        if (value == null) {
            text.append("null");
        } else {
            quote(value);
        }
        return this;
    }

    /** An object or an array within. */
    public Json put(String name, Json value) {
        name(name);
        text.append(value.text).append(value.end);
        return this;
    }

    /** A whole number. */
    public Json put(String name, long value) {
        name(name);
        text.append(value);
        return this;
    }

    /** True or false. */
    public Json put(String name, boolean value) {
        name(name);
        text.append(value);
        return this;
    }

    /** A number as it is written, or null. */
    public Json putNumber(String name, @Nullable String digits) {
        name(name);
        text.append(digits);
        return this;
    }

    /** An element of an array. */
    public Json add(Json element) {
        separate();
        text.append(element.text).append(element.end);
        return this;
    }

    /** An element of an array. */
    public Json add(String element) {
        separate();
        quote(element);
        return this;
    }

    private void name(String name) {
        separate();
        quote(name);
        text.append(':');
    }

    private void separate() {
        if (text.length() > 1) {
            text.append(',');
        }
    }

    private void quote(String value) {
        text.append('"');
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c == '"' || c == '\\') {
                text.append('\\').append(c);
            } else if (c < ' ' || Character.isSurrogate(c)) { // half a pair would be no UTF-8
                text.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
            } else {
                text.append(c);
            }
        }
        text.append('"');
    }

    @Override
    public String toString() {
        return text.toString() + end;
    }
}
