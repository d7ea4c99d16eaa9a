package dev.pgproxy.config;

import java.net.URI;
import java.util.regex.Pattern;

/**
 * Where a server listens: a name or address with a TCP port, or the directory of a unix socket. Immutable. As text:
 * {@code host}, {@code host:port}, {@code [v6]:port}, {@code /directory} or {@code /directory:port}.
 *
 * @param host name, IPv4 or IPv6 address without brackets, or an absolute directory
 * @param port 1 to 65535; for a unix socket the number in the file's name
 */
public record HostAddress(String host, int port) {
    /** PostgreSQL's port. */
    public static final int DEFAULT_PORT = 5432;

    /** No name and no directory begins so. */
    private static final String PATRONI = "patroni/";

    private static final Pattern HOST = Pattern.compile("/.+|(?:" + PATRONI + ")?[\\w.:%-]+");

    public HostAddress {
        if (!HOST.matcher(host).matches()) {
            throw new IllegalArgumentException("a host is a name, an address or the directory of a unix socket");
        }
        if (port < 1 || port > 65535) {
            throw new IllegalArgumentException("a port is between 1 and 65535, not " + port);
        }
    }

    /** Whether {@link #host} is the directory of a unix socket. */
    public boolean isUnixSocket() {
        return host.startsWith("/");
    }

    /**
     * Stands for the primary of the cluster whose members Patroni tells, wherever that is: nobody can connect to it.
     *
     * @param api where one of its members answers, always the same one
     */
    static HostAddress ofPatroni(URI api) {
        int port = api.getPort() >= 0 ? api.getPort() : "https".equals(api.getScheme()) ? 443 : 80;
        return new HostAddress(PATRONI + api.getHost().replaceAll("[\\[\\]]", ""), port);
    }

    /** Whether it stands for whatever host Patroni's members say, and their servers confirm. */
    public boolean isPatroni() {
        return host.startsWith(PATRONI);
    }

    /** The socket's file, as PostgreSQL names it; only for a unix socket. */
    public String socketPath() {
        return host + "/.s.PGSQL." + port;
    }

    /** Reads the text form; the port may be missing. Throws IllegalArgumentException saying what is wrong. */
    public static HostAddress parse(String text) {
        String trimmed = text.strip();
        if (trimmed.contains("://")) { // not repeated: a password may be in it
            throw new IllegalArgumentException("expects host:port, not a URL; URLs belong to the command line");
        }
        String host = trimmed;
        String port = "";
        int colon = trimmed.lastIndexOf(':');
        if (trimmed.startsWith("[")) {
            int close = trimmed.indexOf(']');
            if (close < 0) {
                throw new IllegalArgumentException("the closing ']' of an IPv6 address is missing");
            }
            host = trimmed.substring(1, close);
            String rest = trimmed.substring(close + 1);
            if (!rest.isEmpty() && !rest.startsWith(":")) {
                throw new IllegalArgumentException("only ':port' may follow ']'");
            }
            port = rest.isEmpty() ? "" : rest.substring(1);
        } else if (colon >= 0 && trimmed.indexOf(':') == colon) {
            host = trimmed.substring(0, colon);
            port = trimmed.substring(colon + 1);
        } // more than one colon without brackets is an IPv6 address without a port
        if (host.startsWith(PATRONI)) {
            throw new IllegalArgumentException(
                    "expects host:port; Patroni's members belong to patroni = [\"http://…\"]");
        }
        return new HostAddress(host, port.isEmpty() ? DEFAULT_PORT : parsePort(port));
    }

    /** Throws IllegalArgumentException saying what is wrong, without repeating the text. */
    static int parsePort(String text) {
        try {
            return Integer.parseInt(text);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("a port is a number between 1 and 65535", e);
        }
    }

    @Override
    public String toString() {
        return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
    }
}
