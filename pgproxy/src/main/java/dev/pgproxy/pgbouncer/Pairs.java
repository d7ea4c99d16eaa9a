package dev.pgproxy.pgbouncer;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The connection string of one line of the sections databases, users and peers. Immutable but for the remarks that it adds.
 * Methods throw IllegalArgumentException, whose message repeats no value, where PgBouncer refuses the line.
 */
record Pairs(IniLine line, Map<String, String> values, List<Remark> remarks) {
    /** Of a line that has none. */
    static final Pairs NONE = new Pairs(new IniLine("", 0, "", "", ""), Map.of(), List.of());

    /** What a database has in common with pgproxy, name by name. */
    static final Map<String, ValueForm> DATABASE = Map.ofEntries(
            Map.entry("dbname", ValueForm.TEXT),
            Map.entry("user", ValueForm.TEXT),
            Map.entry("auth_user", ValueForm.TEXT),
            Map.entry("auth_query", ValueForm.TEXT),
            Map.entry("auth_dbname", ValueForm.TEXT),
            Map.entry("connect_query", ValueForm.TEXT),
            Map.entry("pool_mode", ValueForm.CHOICE),
            Map.entry("pool_size", ValueForm.SERVERS),
            Map.entry("min_pool_size", ValueForm.NUMBER),
            Map.entry("reserve_pool_size", ValueForm.NUMBER),
            Map.entry("max_db_connections", ValueForm.NUMBER),
            Map.entry("max_db_client_connections", ValueForm.NUMBER));

    /** Run-time parameters, which stand in a block of their own. */
    static final Set<String> PARAMETERS = Set.of("client_encoding", "datestyle", "timezone", "application_name");

    /** What a database has in PgBouncer alone, with what that means. */
    static final Map<String, String> DATABASE_ONLY = Map.of(
            "server_lifetime", "the general server_lifetime holds",
            "query_wait_timeout", "the general query_wait_timeout holds",
            "target_session_attrs",
                    "the host is used whatever it is; with replicas configured writes go to the primary only");

    /** What a user has in common with pgproxy. */
    static final Map<String, ValueForm> USER = Map.ofEntries(
            Map.entry("pool_mode", ValueForm.CHOICE),
            Map.entry("pool_size", ValueForm.SERVERS),
            Map.entry("reserve_pool_size", ValueForm.NUMBER),
            Map.entry("query_timeout", ValueForm.SECONDS),
            Map.entry("transaction_timeout", ValueForm.SECONDS),
            Map.entry("idle_transaction_timeout", ValueForm.SECONDS),
            Map.entry("client_idle_timeout", ValueForm.SECONDS),
            Map.entry("max_user_connections", ValueForm.NUMBER),
            Map.entry("max_user_client_connections", ValueForm.NUMBER));

    /** What a user has in PgBouncer alone. */
    static final Map<String, String> USER_ONLY = Map.of("query_wait_timeout", "the general query_wait_timeout holds");

    private static final String PASSWORD = "password";

    static Pairs of(IniLine line, List<Remark> remarks) {
        return new Pairs(line, ConnectString.parse(line.value()), remarks);
    }

    /**
     * A block of databases.
     *
     * @param sockets where a server's socket is whose host is not given; null = nowhere
     */
    Node.Block database(@Nullable String sockets) {
        Node.Block block = new Node.Block(line);
        Node.Block parameters = new Node.Block(line);
        block.put(line, "primary", address(host(sockets), 5432));
        values.forEach((key, value) -> {
            ValueForm form = DATABASE.get(key.equals("reserve_pool") ? "reserve_pool_size" : key);
            if (form != null) {
                put(block, key.equals("reserve_pool") ? "reserve_pool_size" : key, form, value);
            } else if (PARAMETERS.contains(key)) {
                parameters.put(line, key, value);
            } else if (key.equals(PASSWORD)) {
                password(block, value);
            } else if (DATABASE_ONLY.containsKey(key)) {
                without(key, DATABASE_ONLY);
            } else if (!Set.of("host", "port", "load_balance_hosts").contains(key)) {
                throw unknown(key);
            }
        });
        if (!parameters.entries().isEmpty()) {
            block.entries().put("parameters", parameters);
        }
        return block;
    }

    private void password(Node.Block block, String value) {
        if (values.containsKey("user")) {
            block.put(line, PASSWORD, value);
        } else {
            different("password: is that of user, which is not given: not used, as by PgBouncer");
        }
    }

    private String host(@Nullable String sockets) {
        String host = values.get("host");
        if (host == null) {
            if (sockets == null) {
                throw new IllegalArgumentException(
                        "has no host, and there is no unix_socket_dir to look for a socket in");
            }
            return sockets;
        }
        if (host.startsWith("@")) {
            throw new IllegalArgumentException("host: sockets in the abstract namespace are not supported");
        }
        String[] hosts = host.split(",", -1);
        if (hosts.length > 1) {
            different("host: only " + hosts[0] + " is used, not the others of the list;"
                    + " if they are its standbys, convert this file and name them in replicas");
        }
        return hosts[0].strip();
    }

    private String address(String host, int otherwise) {
        String port = values.getOrDefault("port", Integer.toString(otherwise));
        if (!port.matches("[0-9]{1,5}")) {
            throw new IllegalArgumentException("port: expects a number");
        }
        return (host.indexOf(':') >= 0 && !host.startsWith("/") ? "[" + host + "]" : host) + ":" + port;
    }

    /** A block of users. */
    Node.Block user() {
        Node.Block block = new Node.Block(line);
        values.forEach((key, value) -> {
            ValueForm form = USER.get(key);
            if (form != null) {
                put(block, key, form, value);
            } else if (USER_ONLY.containsKey(key)) {
                without(key, USER_ONLY);
            } else {
                throw unknown(key);
            }
        });
        return block;
    }

    /** Where another instance listens. */
    String peer() {
        if (!values.containsKey("host")) {
            throw new IllegalArgumentException("has no host");
        }
        for (String key : values.keySet()) {
            if (key.equals("pool_size")) {
                remarks.add(line.remark(
                        Remark.Kind.NEEDLESS, name(key) + ": as many cancel requests as come are passed on at once"));
            } else if (!Set.of("host", "port").contains(key)) {
                throw unknown(key);
            }
        }
        return address(host(null), 6432);
    }

    /**
     * Numbers below 0, and time-outs of 0, mean that the general setting holds. PgBouncer reads them with atoi (src/loader.c):
     * decimal, whatever zeros they begin with, and whole.
     */
    private void put(Node.Block block, String key, ValueForm form, String written) {
        boolean number = form != ValueForm.TEXT && form != ValueForm.CHOICE;
        String whole = form == ValueForm.SECONDS ? written.replaceFirst("(?<=\\d)\\.\\d*$", "") : written;
        String value = number ? whole.replaceFirst("^0+(?=\\d)", "") : whole;
        if (number && value.startsWith("-") || form == ValueForm.SECONDS && value.equals("0")) {
            return;
        }
        try {
            block.put(line.file(), line.line(), key, form.convert(value));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(key + ": " + e.getMessage(), e);
        }
    }

    private void without(String key, Map<String, String> reasons) {
        different(key + ": " + reasons.get(key));
    }

    private void different(String text) {
        remarks.add(line.remark(Remark.Kind.DIFFERENT, name(text)));
    }

    private String name(String rest) {
        return line.section() + "." + line.key() + "." + rest;
    }

    /** What stands behind a password may be a part of it. */
    private IllegalArgumentException unknown(String key) {
        return new IllegalArgumentException(
                values.containsKey(PASSWORD) ? "unknown parameter beside password" : "unknown parameter '" + key + "'");
    }
}
