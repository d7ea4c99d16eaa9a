package dev.pgproxy.testing;

import java.util.List;

/** An address that speaks PostgreSQL, and who logs in there. Immutable. */
public record Endpoint(String host, int port, String database, String user, String password) {

    /** The same place, another database. */
    public Endpoint withDatabase(String other) {
        return new Endpoint(host, port, other, user, password);
    }

    /** A client that has said nothing yet. */
    public RawClient connect() {
        return RawClient.connect(host, port);
    }

    /** A client that is logged in and ready. */
    public RawClient login() {
        RawClient client = connect();
        List<Message> answer = client.login(user, password, database);
        if (!answer.getLast().isReady()) {
            client.close();
            throw new AssertionError("login to " + this + " ended with " + answer.getLast());
        }
        return client;
    }

    /** Runs SQL on a connection of its own; any error fails. */
    public List<Message> run(String sql) {
        try (RawClient client = login()) {
            List<Message> answer = client.query(sql).readUntilReady();
            for (Message message : answer) {
                if (message.type() == 'E' || message.isClosed()) {
                    throw new AssertionError(sql + " ended with " + message);
                }
            }
            client.terminate().readUntilClosed();
            return answer;
        }
    }

    @Override
    public String toString() {
        return user + "@" + host + ":" + port + "/" + database;
    }
}
