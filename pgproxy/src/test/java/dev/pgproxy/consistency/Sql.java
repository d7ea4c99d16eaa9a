package dev.pgproxy.consistency;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A statement over one row: {@code $1} and {@code :k} are its key, {@code $2} and {@code :v} a version, {@code :part} the
 * partition of the key. What is written with a colon is never a parameter. Immutable.
 */
record Sql(String template, int key, long version) {
    private static final Pattern PARAMETER = Pattern.compile("\\$([12])");

    Sql {
        template = template.replace(":part", key < Family.KEYS / 2 ? "low" : "high")
                .replace(":k", Integer.toString(key))
                .replace(":v", Long.toString(version));
    }

    /** As it is. */
    static Sql plain(String text) {
        return new Sql(text, -1, 0);
    }

    private boolean isPlain() {
        return key < 0;
    }

    /** With literals for all parameters. */
    String text() {
        return isPlain()
                ? template
                : template.replace("$1", Integer.toString(key)).replace("$2", Long.toString(version));
    }

    /** With question marks for parameters. */
    String jdbc() {
        return isPlain() ? template : PARAMETER.matcher(template).replaceAll("?");
    }

    /** The values of the question marks, in their order. */
    List<Number> jdbcValues() {
        List<Number> values = new ArrayList<>();
        for (Matcher matcher = PARAMETER.matcher(template); !isPlain() && matcher.find(); ) {
            values.add(matcher.group(1).equals("1") ? key : (Number) version);
        }
        return values;
    }

    /** The values of $1 and $2, as far as they occur. */
    String[] values() {
        if (isPlain()) {
            return new String[0];
        }
        if (template.contains("$2")) {
            return new String[] {Integer.toString(key), Long.toString(version)};
        }
        return template.contains("$1") ? new String[] {Integer.toString(key)} : new String[0];
    }

    boolean isCopyIn() {
        return template.startsWith("COPY") && template.endsWith("FROM STDIN");
    }

    boolean isCopyOut() {
        return template.startsWith("COPY (");
    }
}
