package dev.pgproxy.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What was said and heard in one run of a {@link Scenario}, as lines of text that are equal for equal behaviour.
 *
 * <p>Always taken out, because they cannot be equal: <ul>
 * <li>the process id and secret key of BackendKeyData, with the key's length;
 * <li>the process id of a notification, kept as "own" or "other";
 * <li>authentication requests other than AuthenticationOk, and the answers to them (the proxy may ask differently than PostgreSQL);
 * <li>object identifiers of fresh objects (16384 and up), numbered in order of their first appearance;
 * <li>the number of the temporary schema in errors, {@code pg_temp_3};
 * <li>the order of ParameterStatus before the first ReadyForQuery, which are sorted; afterwards their order counts.
 * </ul>
 * More only where a scenario asks with {@link #normalise}. Not thread-safe. With {@code -Dtranscripts=directory} each
 * direct run is written there to be read.
 */
public final class Transcript {

    /** What a scenario may leave out of the comparison. */
    public enum Normalisation {
        /** The file, line and routine of errors: the proxy answers in PostgreSQL's words, but from its own code. */
        SOURCE_PLACE,
        /** Of errors and notices only severity and SQLSTATE count: the proxy answers in words of its own. */
        WORDS,
        /** FATAL errors: PostgreSQL ends some connections without a word where the proxy may say why. */
        LAST_WORDS
    }

    private static final Pattern OID = Pattern.compile("\\b(table|type)=(\\d+)");
    private static final int FIRST_FRESH_OID = 16384;

    private final Endpoint endpoint;
    private final Set<Normalisation> normalisations = EnumSet.noneOf(Normalisation.class);
    private final List<String> lines = new ArrayList<>();
    private final Map<String, String> oids = new HashMap<>();
    private final List<RawClient> clients = new ArrayList<>();

    private Transcript(Endpoint endpoint) {
        this.endpoint = endpoint;
    }

    /** Runs the scenario on a client that is logged in. */
    public static void assertSame(ProxyUnderTest proxy, Scenario scenario) {
        compare(proxy, transcript -> scenario.run(transcript.another("c"), transcript));
    }

    /** Runs the scenario on a client that has said nothing yet. */
    public static void assertSameFromStart(ProxyUnderTest proxy, Scenario scenario) {
        compare(proxy, transcript -> scenario.run(transcript.silent("c"), transcript));
    }

    /** As {@link #assertSame(ProxyUnderTest, Scenario)} with the shared proxy. */
    public static void assertSame(Scenario scenario) {
        assertSame(ProxyUnderTest.shared(), scenario);
    }

    /** As {@link #assertSameFromStart(ProxyUnderTest, Scenario)} with the shared proxy. */
    public static void assertSameFromStart(Scenario scenario) {
        assertSameFromStart(ProxyUnderTest.shared(), scenario);
    }

    private static void compare(ProxyUnderTest proxy, Consumer<Transcript> run) {
        String name = testName();
        List<String> direct = record(run, proxy.direct());
        print(name, direct);
        List<String> proxied = record(run, proxy.proxied());
        if (!proxied.equals(direct)) {
            throw new AssertionError(name + " differs through the proxy " + difference(direct, proxied));
        }
    }

    /** The first line that differs, what led to it, and what followed. */
    private static String difference(List<String> direct, List<String> proxied) {
        int same = 0;
        while (same < Math.min(direct.size(), proxied.size())
                && direct.get(same).equals(proxied.get(same))) {
            same++;
        }
        return "at line " + (same + 1) + " after\n    " + part(direct, same - 12, same) + "\nPostgreSQL:\n    "
                + part(direct, same, same + 8) + "\nproxy:\n    " + part(proxied, same, same + 8);
    }

    private static String part(List<String> lines, int from, int to) {
        return String.join("\n    ", lines.subList(Math.max(0, from), Math.min(lines.size(), to)));
    }

    private static List<String> record(Consumer<Transcript> run, Endpoint endpoint) {
        Transcript transcript = new Transcript(endpoint);
        try {
            run.accept(transcript);
            // what a scenario leaves behind (locks, temporary tables) is gone when PostgreSQL has closed
            transcript.clients.forEach(client -> client.listener(new Recorder(transcript, "", true)));
            transcript.clients.forEach(RawClient::terminate);
            transcript.clients.forEach(RawClient::readUntilClosed);
            return transcript.lines;
        } catch (AssertionError | RuntimeException e) {
            throw new AssertionError(endpoint + " after:\n" + String.join("\n", transcript.lines), e);
        } finally {
            transcript.clients.forEach(RawClient::close);
        }
    }

    /** Leaves more out of the comparison, from here on. */
    public void normalise(Normalisation... more) {
        normalisations.addAll(List.of(more));
    }

    /** Another client of this side, logged in and recorded under its name; its login is not recorded. */
    public RawClient another(String name) {
        RawClient client = endpoint.connect();
        clients.add(client);
        Recorder recorder = new Recorder(this, name, true);
        List<Message> answer =
                client.listener(recorder).login(endpoint.user(), endpoint.password(), endpoint.database());
        assertThat(answer.getLast().isReady()).as("%s", answer).isTrue();
        recorder.muted = false;
        return client;
    }

    /** Another client of this side that has said nothing yet, recorded under its name. */
    public RawClient silent(String name) {
        RawClient client = endpoint.connect();
        clients.add(client);
        return client.listener(new Recorder(this, name, false));
    }

    public Endpoint endpoint() {
        return endpoint;
    }

    /** Prepares or checks something on this side over a connection of its own, not recorded. */
    public List<Message> quietly(String sql) {
        return endpoint.run(sql);
    }

    public void note(String line) {
        lines.add("# " + line);
    }

    /** Fails unless the answer has these types, such as {@code 12DCZ}: a check of the scenario itself. */
    public List<Message> expect(String types, List<Message> answer) {
        assertThat(Message.types(answer)).as("%s", answer).isEqualTo(types);
        return answer;
    }

    private boolean isLastWord(Message message) {
        return message.type() == 'E'
                && message.field('S').equals("FATAL")
                && normalisations.contains(Normalisation.LAST_WORDS);
    }

    private String text(Message message) {
        boolean report = message.type() == 'E' || message.type() == 'N';
        if (report && normalisations.contains(Normalisation.WORDS)) {
            String kind = message.type() == 'E' ? "ErrorResponse " : "NoticeResponse ";
            return kind + message.field('S') + " " + message.field('V') + " " + message.field('C');
        }
        String text = message.toString().replaceAll("\\bpg_temp_\\d+", "pg_temp_N");
        if (report && normalisations.contains(Normalisation.SOURCE_PLACE)) {
            text = text.replaceFirst(" F=[^ ]* L=\\d+ R=[^ ]*$", "");
        }
        return OID.matcher(text).replaceAll(this::withoutFreshOid);
    }

    private String withoutFreshOid(MatchResult found) {
        if (Long.parseLong(found.group(2)) < FIRST_FRESH_OID) {
            return Matcher.quoteReplacement(found.group());
        }
        return found.group(1) + "=" + oids.computeIfAbsent(found.group(2), oid -> "<oid " + oids.size() + ">");
    }

    private static void print(String name, List<String> lines) {
        @Nullable String directory = System.getProperty("transcripts");
        if (directory != null) {
            try {
                Files.writeString(
                        Files.createDirectories(Path.of(directory)).resolve(name + ".txt"),
                        String.join("\n", lines) + "\n");
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private static String testName() {
        return StackWalker.getInstance()
                .walk(frames -> frames.filter(frame -> frame.getClassName().endsWith("IT")
                                && !frame.getMethodName().startsWith("lambda"))
                        .findFirst()
                        .map(frame -> frame.getClassName().replaceAll(".*\\.", "") + "." + frame.getMethodName())
                        .orElse("scenario"));
    }

    /** Writes one client's lines. */
    private static final class Recorder implements RawClient.Listener {
        private final Transcript transcript;
        private final String name;
        private final Set<String> startParameters = new TreeSet<>();
        private boolean muted;
        private boolean started;
        private int processId;

        Recorder(Transcript transcript, String name, boolean muted) {
            this.transcript = transcript;
            this.name = name;
            this.muted = muted;
        }

        @Override
        public void sent(String words) {
            add(" > " + words);
        }

        @Override
        public void received(Message message) {
            switch (message.type()) {
                case 'K' -> {
                    processId = message.processId();
                    add(" < BackendKeyData <pid> <key>");
                }
                case 'A' -> {
                    String whose = message.processId() == processId ? "own" : "other";
                    add(" < " + message.toString().replaceFirst("pid=-?\\d+", "pid=<" + whose + ">"));
                }
                case 'R' -> {
                    if (message.authenticationCode() == 0) {
                        add(" < AuthenticationOk");
                    }
                }
                case 'S' -> {
                    if (started) {
                        add(" < " + message);
                    } else {
                        startParameters.add(" < " + message);
                    }
                }
                default -> {
                    startParameters.forEach(this::add);
                    startParameters.clear();
                    started |= message.isReady();
                    if (!transcript.isLastWord(message)) {
                        add(" < " + transcript.text(message));
                    }
                }
            }
        }

        private void add(String line) {
            if (!muted) {
                transcript.lines.add(name + line);
            }
        }
    }
}
