package dev.pgproxy.alert;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** A JSON object while it is written. Confined to the thread that writes it. Source: RFC 8259. */
final class Json {
    private final StringBuilder text = new StringBuilder("{");

    /** A text, or null. */
    Json put(String name, @Nullable String value) {
        name(name);
        if (value == null) {
            text.append("null");
        } else {
            quote(value);
        }
        return this;
    }

    /** An object within. */
    Json put(String name, Json object) {
        name(name);
        text.append(object);
        return this;
    }

    private void name(String name) {
        if (text.length() > 1) {
            text.append(',');
        }
        quote(name);
        text.append(':');
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
        return text + "}";
    }
}
