package dev.pgproxy.testing;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/** What clients say after login, each message once whole; all text that comes back carries the session's marker. */
public final class Conversations {
    private static final int KINDS = 9;

    private Conversations() {}

    /** One to three of the kinds, one after the other. */
    public static List<byte[]> any(String marker, SplittableRandom random) {
        List<byte[]> messages = new ArrayList<>();
        for (int left = random.nextInt(1, 4); left > 0; left--) {
            messages.addAll(one(marker, random.nextInt(KINDS)));
        }
        return messages;
    }

    private static List<byte[]> one(String marker, int kind) {
        return switch (kind) {
            case 0 ->
                List.of(
                        Frontend.query("SELECT '" + marker + "', g FROM generate_series(1, 20) g"),
                        Frontend.query("SELECT '" + marker + "'; SELECT 1/0"));
            case 1 -> prepared(marker);
            case 2 ->
                List.of(
                        Frontend.query("BEGIN"),
                        Frontend.query("CREATE TEMP TABLE fuzzed AS SELECT '" + marker + "' AS m"),
                        Frontend.query("SELECT m FROM fuzzed"),
                        Frontend.query("ROLLBACK"));
            case 3 ->
                List.of(
                        Frontend.query("CREATE TEMP TABLE IF NOT EXISTS taken (m text)"),
                        Frontend.query("COPY taken FROM STDIN"),
                        Frontend.copyData((marker + "\n").getBytes(UTF_8)),
                        Frontend.copyData((marker + "\n" + marker + "\n").getBytes(UTF_8)),
                        Frontend.copyDone(),
                        Frontend.query("COPY taken TO STDOUT"));
            case 4 ->
                List.of(
                        Frontend.query("SET application_name = '" + marker + "'"),
                        Frontend.query("SET fuzz.marker = '" + marker + "'"),
                        Frontend.query("SHOW application_name"),
                        Frontend.query("SELECT current_setting('fuzz.marker')"));
            case 5 ->
                List.of(
                        Frontend.query("LISTEN " + marker),
                        Frontend.query("NOTIFY " + marker + ", '" + marker + "'"),
                        Frontend.query("PREPARE q AS SELECT '" + marker + "'"),
                        Frontend.query("EXECUTE q"),
                        Frontend.query("DEALLOCATE q"));
            case 6 -> suspended(marker);
            case 7 ->
                List.of(
                        Frontend.query("SELECT repeat('" + marker + "', 4000)"),
                        Frontend.functionCall(870, new int[0], List.of(marker.getBytes(UTF_8)), 0), // lower(text)
                        Frontend.sync());
            default ->
                List.of(
                        Frontend.parse("c", "COPY (SELECT '" + marker + "' FROM generate_series(1, 30)) TO STDOUT"),
                        bind("", "c"),
                        Frontend.execute("", 0),
                        Frontend.closeStatement("c"),
                        Frontend.sync(),
                        Frontend.copyFail(marker),
                        Frontend.query("SELECT '" + marker + "'"));
        };
    }

    private static List<byte[]> prepared(String marker) {
        return List.of(
                Frontend.parse("s", "SELECT $1::text, $2::int"),
                Frontend.describeStatement("s"),
                bind("p", "s", marker, "7"),
                Frontend.describePortal("p"),
                Frontend.execute("p", 0),
                Frontend.sync(),
                bind("", "s", marker, "not a number"),
                Frontend.execute("", 0),
                Frontend.sync(),
                Frontend.closeStatement("s"),
                Frontend.sync());
    }

    private static List<byte[]> suspended(String marker) {
        return List.of(
                Frontend.parse("", "SELECT '" + marker + "' || g FROM generate_series(1, 50) g"),
                bind("", ""),
                Frontend.execute("", 10),
                Frontend.flush(),
                Frontend.execute("", 0),
                Frontend.sync(),
                Frontend.parse("", "SELEC"),
                Frontend.flush(),
                Frontend.sync());
    }

    private static byte[] bind(String portal, String statement, String... values) {
        List<byte @Nullable []> bytes = new ArrayList<>();
        for (String value : values) {
            bytes.add(value.getBytes(UTF_8));
        }
        return Frontend.bind(portal, statement, new int[0], bytes, new int[0]);
    }
}
