package dev.pgproxy.testing;

import dev.pgproxy.PgProxy;
import dev.pgproxy.config.ConfigLoader;
import dev.pgproxy.config.ConfigProblems;
import dev.pgproxy.config.ProxyConfig;
import dev.pgproxy.demo.EmbeddedPostgres;
import java.io.IOException;
import java.util.List;

/** A proxy of one test, before one server, with the settings that the test is about; nothing else is configured. */
public record TestProxy(PgProxy proxy, EmbeddedPostgres server) implements AutoCloseable {

    /** Every database is on {@code server}; further settings win. */
    public static TestProxy start(EmbeddedPostgres server, String settings) {
        try {
            return new TestProxy(PgProxy.start(config(server, settings)), server);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static ProxyConfig config(EmbeddedPostgres server, String settings) {
        try {
            return ConfigLoader.parse(
                    "listen_port = 0\nhttp_addr = []\nlog_connections = false\nlog_disconnections = false\n"
                            + "databases { \"*\" { primary = \"" + server.host() + ":" + server.port() + "\" } }\n"
                            + settings);
        } catch (ConfigProblems e) {
            throw new AssertionError(e);
        }
    }

    /** RELOAD with other settings. */
    public void reload(String settings) {
        try {
            proxy.reload(config(server, settings));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** Settings with which anybody may log in as {@code postgres}, who may do everything. */
    public static String trusting(EmbeddedPostgres server) {
        return "auth_type = trust\nadmin_users = [postgres]\n" + user("postgres", server.superuserPassword());
    }

    /** A user of the configuration. */
    public static String user(String name, String secret) {
        return "users { \"" + name + "\" { password = \"" + secret + "\" } }\n";
    }

    /** A client that has said nothing yet. */
    public RawClient connect() {
        return RawClient.connect("127.0.0.1", proxy.port());
    }

    /** The way through the proxy. */
    public Endpoint as(String user, String password, String database) {
        return new Endpoint("127.0.0.1", proxy.port(), database, user, password);
    }

    /** What ends an attempt to log in: ReadyForQuery, the error before the end, or the end without a word. */
    public Message attempt(String user, String password, String database) {
        try (RawClient client = connect()) {
            List<Message> answer = client.login(user, password, database);
            Message last = answer.getLast();
            boolean said = last.isClosed()
                    && answer.size() > 1
                    && answer.get(answer.size() - 2).type() == 'E';
            return said ? answer.get(answer.size() - 2) : last;
        }
    }

    /** What a refused attempt shows: its messages, each as text. */
    public static List<String> refusal(RawClient client, String user, String password, String database) {
        try (client) {
            return client.login(user, password, database).stream()
                    .map(Message::toString)
                    .toList();
        }
    }

    @Override
    public void close() {
        proxy.close();
    }
}
