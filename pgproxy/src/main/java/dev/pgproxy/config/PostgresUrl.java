package dev.pgproxy.config;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A connection URI as libpq reads it: {@code postgres://user:password@host:port,host:port/dbname?name=value}. Parts may
 * be percent-encoded; hosts may be socket directories, encoded or as {@code ?host=}. Immutable.
 *
 * @param hosts at least one
 * @param user null = not given
 * @param password null = not given
 * @param dbname null = not given
 * @param parameters the rest, without host, port, user, password and dbname
 */
record PostgresUrl(
        List<HostAddress> hosts,
        @Nullable String user,
        @Nullable Secret password,
        @Nullable String dbname,
        Map<String, String> parameters) {

    /** Reads a URL. Throws IllegalArgumentException saying what is wrong, without repeating the URL. */
    static PostgresUrl parse(String url) {
        int scheme = url.indexOf("://");
        if (scheme < 0 || !List.of("postgres", "postgresql").contains(url.substring(0, scheme))) {
            throw new IllegalArgumentException("expects postgres://user:password@host:port/dbname");
        }
        String rest = url.substring(scheme + 3);
        int question = rest.indexOf('?');
        Map<String, String> parameters = parameters(question < 0 ? "" : rest.substring(question + 1));
        String address = question < 0 ? rest : rest.substring(0, question);
        int at = address.lastIndexOf('@');
        String login = at < 0 ? "" : address.substring(0, at);
        String target = address.substring(at + 1);
        int slash = target.indexOf('/');
        String hosts = slash < 0 ? target : target.substring(0, slash);
        int colon = login.indexOf(':');
        put(parameters, "dbname", slash < 0 ? "" : target.substring(slash + 1));
        put(parameters, "user", colon < 0 ? login : login.substring(0, colon));
        put(parameters, "password", colon < 0 ? "" : login.substring(colon + 1));
        List<HostAddress> addresses = hosts(hosts, parameters.remove("host"), parameters.remove("port"));
        String password = parameters.remove("password");
        return new PostgresUrl(
                addresses,
                parameters.remove("user"),
                password == null ? null : new Secret(password),
                parameters.remove("dbname"),
                Map.copyOf(parameters));
    }

    /** What stands after the question mark wins, as in libpq. */
    private static void put(Map<String, String> parameters, String name, String encoded) {
        if (!encoded.isEmpty()) {
            parameters.putIfAbsent(name, decode(encoded));
        }
    }

    private static Map<String, String> parameters(String query) {
        if (query.contains("@")) {
            throw new IllegalArgumentException("a question mark in the password must be written %3F");
        }
        Map<String, String> parameters = new LinkedHashMap<>();
        for (String part : query.split("&", -1)) {
            int equals = part.indexOf('=');
            if (equals > 0) {
                parameters.put(decode(part.substring(0, equals)), decode(part.substring(equals + 1)));
            } else if (!part.isEmpty()) {
                throw new IllegalArgumentException("expects name=value after the question mark");
            }
        }
        return parameters;
    }

    private static List<HostAddress> hosts(String authority, @Nullable String host, @Nullable String port) {
        List<HostAddress> hosts = new ArrayList<>();
        if (host == null) {
            for (String one : authority.split(",", -1)) {
                String decoded = decode(one);
                boolean bare = decoded.isEmpty() || decoded.startsWith(":");
                hosts.add(HostAddress.parse(bare ? "localhost" + decoded : decoded));
            }
        } else {
            for (String one : host.split(",", -1)) {
                hosts.add(new HostAddress(one, HostAddress.DEFAULT_PORT));
            }
        }
        if (port == null) {
            return List.copyOf(hosts);
        }
        String[] ports = port.split(",", -1);
        if (ports.length != 1 && ports.length != hosts.size()) {
            throw new IllegalArgumentException("expects as many ports as hosts, or one");
        }
        List<HostAddress> moved = new ArrayList<>();
        for (int i = 0; i < hosts.size(); i++) {
            String number = ports[ports.length == 1 ? 0 : i];
            moved.add(new HostAddress(hosts.get(i).host(), HostAddress.parsePort(number)));
        }
        return List.copyOf(moved);
    }

    /** Percent-decoding; a plus stays a plus, unlike in forms. */
    private static String decode(String text) {
        try {
            return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("a percent sign must be followed by two hex digits (%25 for itself)", e);
        }
    }
}
