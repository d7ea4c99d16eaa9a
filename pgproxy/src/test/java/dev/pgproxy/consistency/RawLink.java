package dev.pgproxy.consistency;

import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.Frontend;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.RawClient;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;

/** Messages of the protocol as a test wants them: real pipelines, any style in any turn. */
final class RawLink implements Link {
    private final Endpoint endpoint;
    private final RawClient client;
    private final Map<String, String> prepared = new HashMap<>();
    private int names;

    RawLink(Endpoint endpoint, Guise guise) {
        this.endpoint = endpoint;
        this.client = endpoint.login();
        for (String sql :
                Stream.concat(guise.settings.stream(), Family.PREAMBLE.stream()).toList()) {
            if (!run(Style.SIMPLE, List.of(Sql.plain(sql))).isOk()) {
                client.close();
                throw new IllegalStateException("lost while preparing");
            }
        }
    }

    @Override
    public Answer run(Style style, List<Sql> statements) {
        try {
            Sql first = statements.getFirst();
            if (first.isCopyIn()) {
                return copyIn(first);
            }
            if (style == Style.SIMPLE || first.isCopyOut()) {
                client.query(
                        String.join("; ", statements.stream().map(Sql::text).toList()));
                return read(List.of());
            }
            return style == Style.NAMED ? named(statements) : unnamed(statements);
        } catch (AssertionError | UncheckedIOException e) {
            String error = e instanceof AssertionError ? Answer.SILENCE + ": " + e.getMessage() : e.toString();
            return new Answer(List.of(), "", error, true);
        }
    }

    private Answer copyIn(Sql copy) {
        client.query(copy.template());
        Message answer = client.readMessage();
        while (answer.type() != 'G' && answer.type() != 'E' && !answer.isClosed()) {
            answer = client.readMessage();
        }
        if (answer.type() == 'G') {
            client.copyData(copy.key() + "\t" + copy.version() + "\n").copyDone();
            return read(List.of());
        }
        return read(List.of(answer));
    }

    private Answer unnamed(List<Sql> statements) {
        client.batch(batch -> {
            for (Sql sql : statements) {
                batch.parse("", sql.template()).bind("", "", sql.values()).execute("");
            }
            batch.sync();
        });
        return read(List.of());
    }

    /** A statement whose Parse was in an exchange that failed is parsed again under another name. */
    private Answer named(List<Sql> statements) {
        Map<String, String> parsing = new HashMap<>();
        client.batch(batch -> {
            for (Sql sql : statements) {
                String name = prepared.getOrDefault(sql.template(), parsing.get(sql.template()));
                if (name == null) {
                    name = "named_" + names++;
                    parsing.put(sql.template(), name);
                    batch.parse(name, sql.template());
                }
                batch.bind("", name, sql.values()).execute("");
            }
            batch.sync();
        });
        Answer answer = read(List.of());
        if (answer.isOk()) {
            prepared.putAll(parsing);
        }
        return answer;
    }

    private Answer read(List<Message> before) {
        List<Result> results = new ArrayList<>();
        List<List<String>> rows = new ArrayList<>();
        String sqlState = "";
        String error = "";
        for (Message message : before) {
            if (message.isClosed()) {
                return Answer.of(results, sqlState, error, true);
            }
            sqlState = message.field('C');
            error = message.field('M');
        }
        while (true) {
            Message message = client.readMessage();
            switch (message.type()) {
                case 'D' ->
                    rows.add(message.values().stream().map(Objects::toString).toList());
                case 'd' ->
                    rows.add(List.of(new String(message.body(), StandardCharsets.UTF_8)
                            .strip()
                            .split("\t", -1)));
                case 'C' -> {
                    results.add(new Result(List.copyOf(rows), count(message)));
                    rows.clear();
                }
                case 'E' -> {
                    sqlState = message.field('C');
                    error = message.field('M');
                }
                case 'Z', '\0' -> {
                    return Answer.of(results, sqlState, error, message.isClosed());
                }
                default -> {} // ParseComplete and others say nothing here
            }
        }
    }

    /** The number at the end of {@code UPDATE 1} or {@code INSERT 0 1}. */
    private static long count(Message complete) {
        String tag = new String(complete.body(), StandardCharsets.UTF_8).replace("\0", "");
        String last = tag.substring(tag.lastIndexOf(' ') + 1);
        return last.chars().allMatch(Character::isDigit) ? Long.parseLong(last) : 0;
    }

    @Override
    public boolean cut(List<Sql> statements) {
        try {
            client.query(String.join("; ", statements.stream().map(Sql::text).toList()));
        } catch (AssertionError | UncheckedIOException ignored) {
            // nobody knows what has been sent
        }
        client.close();
        return true;
    }

    @Override
    public void cancel() {
        try (RawClient canceller = endpoint.connect()) {
            Message key = client.keyData();
            canceller.raw(Frontend.cancelRequest(key.processId(), key.secretKey()));
            canceller.readUntilClosed();
        } catch (AssertionError | UncheckedIOException ignored) {
            // cancelling is a wish
        }
    }

    @Override
    public void close() {
        client.terminate();
        client.close();
    }
}
