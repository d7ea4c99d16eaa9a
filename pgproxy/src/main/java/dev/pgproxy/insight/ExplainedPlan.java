package dev.pgproxy.insight;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigParseOptions;
import com.typesafe.config.ConfigSyntax;
import dev.pgproxy.routing.sql.MaskedText;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What is kept of the answer to {@code EXPLAIN (FORMAT JSON)}: of each node what it does, to what, by which index, at what cost,
 * and its conditions with {@code ?} for each literal. What is not known to be free of values is left out. Immutable.
 *
 * @param hash of its shape: what each node does, to which relation, by which index; the same for all costs and literals
 * @param cost of all of it, as the planner has estimated it
 * @param text in one line; children in braces
 */
public record ExplainedPlan(String hash, String cost, String text) {
    private static final ConfigParseOptions JSON = ConfigParseOptions.defaults().setSyntax(ConfigSyntax.JSON);
    private static final int LONGEST = 1 << 20;
    private static final int SHOWN = 16_000;
    private static final int HASH_BYTES = 8;

    /** What makes one plan another than before. */
    private static final List<String> SHAPE = List.of(
            "Node Type",
            "Parent Relationship",
            "Strategy",
            "Partial Mode",
            "Operation",
            "Join Type",
            "Scan Direction",
            "Relation Name",
            "Index Name",
            "Function Name",
            "CTE Name",
            "Command");

    /** Texts of SQL, or lists of such: with literals. */
    private static final List<String> CONDITIONS = List.of(
            "Index Cond",
            "Recheck Cond",
            "Hash Cond",
            "Merge Cond",
            "Join Filter",
            "TID Cond",
            "One-Time Filter",
            "Filter",
            "Order By",
            "Sort Key",
            "Presorted Key",
            "Group Key",
            "Cache Key",
            "Run Condition");

    /**
     * Reads what PostgreSQL has answered.
     *
     * @throws IllegalArgumentException if it is no plan; nothing of it is in the message
     */
    public static ExplainedPlan of(String json) {
        if (json.length() > LONGEST) {
            throw new IllegalArgumentException("the plan is too long");
        }
        try {
            Object root = ConfigFactory.parseString("{\"all\":" + json + "}", JSON)
                    .root()
                    .unwrapped()
                    .get("all");
            StringBuilder shape = new StringBuilder();
            StringBuilder text = new StringBuilder();
            String cost = "";
            for (Object each : root instanceof List<?> all ? all : List.of()) {
                if (each instanceof Map<?, ?> query && query.get("Plan") instanceof Map<?, ?> plan) {
                    text.append(text.isEmpty() ? "" : "; ");
                    node(plan, shape, text);
                    cost = cost.isEmpty() ? String.valueOf(plan.get("Total Cost")) : cost;
                }
            }
            if (text.isEmpty()) {
                throw new IllegalArgumentException("there is no plan of it");
            }
            String whole = text.length() > SHOWN ? text.substring(0, SHOWN) + "…" : text.toString();
            return new ExplainedPlan(hash(shape.toString()), cost, whole);
        } catch (ConfigException | StackOverflowError e) {
            throw new IllegalArgumentException("the plan cannot be read", e);
        }
    }

    private static void node(Map<?, ?> node, StringBuilder shape, StringBuilder text) {
        shape.append('(');
        for (String key : SHAPE) {
            shape.append(node.get(key) instanceof String value ? value : "").append('|');
        }
        head(node, text);
        if (node.get("Plans") instanceof List<?> children && !children.isEmpty()) {
            String between = " { ";
            for (Object child : children) {
                if (child instanceof Map<?, ?> plan) {
                    text.append(between);
                    node(plan, shape, text);
                    between = "; ";
                }
            }
            text.append(" }");
        }
        shape.append(')');
    }

    private static void head(Map<?, ?> node, StringBuilder text) {
        add(text, "", node.get("Strategy") instanceof String strategy && !strategy.equals("Plain") ? strategy : null);
        add(text, text.isEmpty() || text.charAt(text.length() - 1) == ' ' ? "" : " ", node.get("Node Type"));
        add(text, " ", node.get("Join Type"));
        add(text, " using ", node.get("Index Name"));
        add(text, " on ", node.get("Relation Name"));
        Object alias = node.get("Alias");
        add(text, " ", alias != null && alias.equals(node.get("Relation Name")) ? null : alias);
        add(text, " of ", node.get("CTE Name"));
        add(text, " of ", node.get("Subplan Name"));
        text.append(" (cost ").append(number(node.get("Total Cost")));
        add(text, ", rows ", number(node.get("Plan Rows")));
        if (node.get("Actual Loops") != null) {
            add(text, ", actual rows ", number(node.get("Actual Rows")));
            add(text, ", loops ", number(node.get("Actual Loops")));
            add(text, ", ms ", number(node.get("Actual Total Time")));
        }
        for (String key : CONDITIONS) {
            condition(key, node.get(key), text);
        }
        text.append(')');
    }

    private static void add(StringBuilder text, String before, @Nullable Object value) {
        if (value != null) {
            text.append(before).append(value);
        }
    }

    private static @Nullable Object number(@Nullable Object value) {
        return value instanceof Number ? value : null;
    }

    private static void condition(String key, @Nullable Object value, StringBuilder text) {
        if (value instanceof String sql) {
            text.append(", ").append(key).append(": ").append(masked(sql));
        } else if (value instanceof List<?> list) {
            String between = ", " + key + ": ";
            for (Object each : list) {
                text.append(between).append(masked(String.valueOf(each)));
                between = ", ";
            }
        }
    }

    /** A server doubles each quote in what it writes, whatever backslashes mean in the session. */
    private static String masked(String sql) {
        return MaskedText.of(sql.getBytes(UTF_8), true);
    }

    private static String hash(String shape) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(shape.getBytes(UTF_8));
            return HexFormat.of().formatHex(digest, 0, HASH_BYTES);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
