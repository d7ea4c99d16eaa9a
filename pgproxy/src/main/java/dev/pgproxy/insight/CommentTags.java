package dev.pgproxy.insight;

import dev.pgproxy.protocol.sql.CommentTexts;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What frameworks say of a statement in a comment: {@code key='value'} with both percent-encoded (the format of sqlcommenter),
 * or {@code key:value} (Rails before 7.1). Bounded and printable, since clients choose it. Stateless.
 */
public final class CommentTags {
    /** So many, and so long. */
    private static final int MOST = 8;

    private static final int LONGEST = 100;
    private static final int LONGEST_COMMENT = 4096;

    private static final Pattern TAG =
            Pattern.compile("\\s*([A-Za-z0-9_.%-]{1,40})(?:='((?:[^'\\\\]|\\\\.)*+)'|:([^,]*+))\\s*(?:,|$)");

    /** What is another one each time. */
    private static final Set<String> PASSING = Set.of("traceparent", "tracestate", "request_id", "pgproxy");

    private CommentTags() {}

    /** As {@code action='index', controller='posts'}, by name; null if there are none. */
    public static @Nullable String of(byte[] text, int length) {
        Map<String, String> tags = new TreeMap<>();
        for (String comment : CommentTexts.of(text, length, true, LONGEST_COMMENT)) {
            read(comment, tags);
        }
        StringBuilder out = new StringBuilder();
        tags.forEach((key, value) -> out.append(out.isEmpty() ? "" : ", ")
                .append(key)
                .append("='")
                .append(value)
                .append('\''));
        return out.isEmpty() ? null : out.toString();
    }

    private static void read(String comment, Map<String, String> tags) {
        Matcher tag = TAG.matcher(comment);
        int at = 0;
        while (at < comment.length() && tags.size() < MOST && tag.find(at) && tag.start() == at && tag.end() > at) {
            String key = decoded(tag.group(1));
            String quoted = tag.group(2);
            String value = decoded(quoted == null ? tag.group(3).strip() : quoted.replace("\\'", "'"));
            if (!PASSING.contains(key)) {
                tags.put(key, value);
            }
            at = tag.end();
        }
    }

    private static String decoded(String text) {
        String plain;
        try {
            plain = URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            plain = text; // a percent sign that begins nothing
        }
        return Printable.of(plain.length() > LONGEST ? plain.substring(0, LONGEST) + "…" : plain);
    }
}
