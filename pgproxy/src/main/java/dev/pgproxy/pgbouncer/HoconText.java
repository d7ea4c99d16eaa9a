package dev.pgproxy.pgbouncer;

import com.typesafe.config.ConfigUtil;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Writes a configuration as a person would. Confined to one call. */
final class HoconText {
    /** What HOCON reads as the same text without quotes. */
    private static final Pattern PLAIN = Pattern.compile("(?!null$|include$)[a-z][a-z0-9_-]*|[0-9]+[a-z]*");

    private final StringBuilder text = new StringBuilder();

    private HoconText() {}

    static String of(String file, Node.Block root, List<Remark> remarks) {
        HoconText writer = new HoconText();
        writer.comment("From " + file + ", by pgproxy convert.");
        if (!remarks.isEmpty()) {
            writer.comment("");
            writer.comment("What has no equivalent:");
            remarks.forEach(remark -> writer.comment("  " + remark));
        }
        writer.entries(root, "\n", "");
        return writer.text.toString();
    }

    private void comment(String line) {
        text.append("# ").append(line.replaceAll("\\p{Cntrl}", " ")).append('\n');
    }

    private void entries(Node.Block block, String between, String indent) {
        for (Map.Entry<String, Node> entry : block.entries().entrySet()) {
            boolean isBlock = entry.getValue() instanceof Node.Block;
            boolean named = !indent.isEmpty() && isBlock;
            text.append(isBlock ? between : "").append(indent);
            text.append(named ? ConfigUtil.quoteString(entry.getKey()) : key(entry.getKey()));
            switch (entry.getValue()) {
                case Node.Text value -> text.append(" = ").append(quoted(value.text()));
                case Node.Items items ->
                    text.append(" = ")
                            .append(items.items().stream()
                                    .map(HoconText::quoted)
                                    .collect(Collectors.joining(", ", "[", "]")));
                case Node.Block inner -> {
                    text.append(" {\n");
                    entries(inner, "", indent + "  ");
                    text.append(indent).append('}');
                }
            }
            text.append('\n');
        }
    }

    private static String key(String key) {
        return PLAIN.matcher(key).matches() ? key : ConfigUtil.quoteString(key);
    }

    private static String quoted(String value) {
        return PLAIN.matcher(value).matches() ? value : ConfigUtil.quoteString(value);
    }
}
