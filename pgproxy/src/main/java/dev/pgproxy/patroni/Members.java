package dev.pgproxy.patroni;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigObject;
import com.typesafe.config.ConfigParseOptions;
import com.typesafe.config.ConfigSyntax;
import com.typesafe.config.ConfigValueType;
import dev.pgproxy.config.HostAddress;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;

/** Reads what {@code GET /cluster} answers. Source: Patroni's REST API, "Monitoring endpoint". */
final class Members {
    /** Each is watched by threads and connections of its own. */
    private static final int MOST = 64;

    /** More than Patroni has; the parser calls itself for each. */
    private static final int DEEPEST = 16;

    private static final ConfigParseOptions JSON = ConfigParseOptions.defaults().setSyntax(ConfigSyntax.JSON);

    private Members() {}

    /**
     * Those that have an address, one for each address.
     *
     * @throws IOException if it is nothing that Patroni says, or says that there is nobody
     */
    static List<Member> parse(String json) throws IOException {
        checkDepth(json);
        List<Member> members = new ArrayList<>();
        Set<HostAddress> seen = new HashSet<>();
        try {
            for (Config each : ConfigFactory.parseString(json, JSON).getConfigList("members")) {
                if (members.size() == MOST) {
                    throw new IOException("tells of more than " + MOST + " members");
                }
                if (has(each, "host")) { // else it has not started yet
                    Member member = member(each);
                    if (seen.add(member.address())) {
                        members.add(member);
                    }
                }
            }
        } catch (ConfigException | IllegalArgumentException e) {
            throw new IOException("is not what Patroni answers: " + shortened(String.valueOf(e.getMessage())), e);
        }
        if (members.isEmpty()) {
            throw new IOException("tells of no member with an address");
        }
        return List.copyOf(members);
    }

    private static Member member(Config told) {
        String host = told.getString("host");
        if (host.indexOf('/') >= 0) {
            throw new IllegalArgumentException("a member's host is a name or an address");
        }
        int port = has(told, "port") ? told.getInt("port") : HostAddress.DEFAULT_PORT;
        Set<String> tags = tags(told);
        return new Member(
                told.getString("name"),
                new HostAddress(host, port),
                told.getString("role"),
                has(told, "state") ? told.getString("state") : "",
                isNumber(told, "timeline") ? Integer.valueOf(told.getInt("timeline")) : null,
                isNumber(told, "lag") ? Long.valueOf(told.getLong("lag")) : null,
                String.join(" ", tags),
                tags.contains("noloadbalance"));
    }

    /** Those that are on, and those with a value. */
    private static Set<String> tags(Config told) {
        Set<String> tags = new TreeSet<>();
        if (has(told, "tags")) {
            ConfigObject all = told.getObject("tags");
            all.forEach((name, value) -> {
                String text = String.valueOf(value.unwrapped());
                switch (text.toLowerCase(Locale.ROOT)) {
                    case "false", "off", "no", "null", "" -> {}
                    case "true", "on", "yes" -> tags.add(name);
                    default -> tags.add(name + "=" + text);
                }
            });
        }
        return tags;
    }

    private static boolean has(Config told, String key) {
        return told.hasPath(key);
    }

    /** Patroni says "unknown" in the place of some. */
    private static boolean isNumber(Config told, String key) {
        return has(told, key) && told.getValue(key).valueType() == ConfigValueType.NUMBER;
    }

    private static void checkDepth(String json) throws IOException {
        int depth = 0;
        boolean text = false;
        boolean escaped = false;
        for (int i = 0; i < json.length(); i++) {
            char c = json.charAt(i);
            if (c == '"' && !escaped) {
                text = !text;
            } else if (!text && (c == '{' || c == '[')) {
                depth++;
            } else if (!text && (c == '}' || c == ']')) {
                depth--;
            }
            escaped = c == '\\' && text && !escaped;
            if (depth > DEEPEST) {
                throw new IOException("is not what Patroni answers: it is nested too deeply");
            }
        }
    }

    private static String shortened(String message) {
        String line = message.lines().findFirst().orElse("");
        return line.length() > 160 ? line.substring(0, 160) + "…" : line;
    }
}
