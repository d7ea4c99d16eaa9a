package dev.pgproxy.testing;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * One client that does seeded random things and knows what must come back: a model of its own settings, prepared
 * statements, temporary table and committed rows. Table {@code stress_rows (client int, n int)} must exist. Confined to
 * one thread.
 */
public final class StressSession implements AutoCloseable {
    private static final List<String> SETTINGS = List.of("application_name", "stress.tenant", "search_path");
    private static final String NO_PATH = "\"$user\", public";

    private final Endpoint endpoint;
    private final int number;
    private final SplittableRandom random;
    private RawClient client;
    private int serial;
    private long committedRows;
    private long committedSum;

    /** Settings that this session sees now; a custom setting is null until first set, and '' when taken back. */
    private Map<String, @Nullable String> settings = new HashMap<>();

    private final Map<String, String> statements = new TreeMap<>();
    private int temporaryRows = -1;

    public StressSession(Endpoint endpoint, int number, long seed) {
        this.endpoint = endpoint;
        this.number = number;
        this.random = new SplittableRandom(seed * 1_000_003 + number);
        this.client = connect();
    }

    /** One random thing, fully answered and checked. */
    public void step() {
        switch (random.nextInt(16)) {
            case 0, 1 -> set("SET");
            case 2, 3 -> checkSettings();
            case 4 -> reset();
            case 5, 6, 7 -> transaction();
            case 8 -> prepare();
            case 9, 10 -> executePrepared();
            case 11 -> temporaryTable();
            case 12 -> fail();
            case 13 -> pipeline();
            case 14 -> checkRows();
            default -> {
                if (random.nextInt(6) == 0) {
                    leave();
                }
            }
        }
    }

    @Override
    public void close() {
        client.terminate().readUntilClosed();
        client.close();
    }

    private RawClient connect() {
        settings = new HashMap<>();
        settings.put("application_name", "");
        settings.put("stress.tenant", null);
        settings.put("search_path", NO_PATH);
        statements.clear();
        temporaryRows = -1;
        return endpoint.login();
    }

    // ---- settings

    /** Sets one at random and returns its name. */
    private String set(String command) {
        String name = SETTINGS.get(random.nextInt(SETTINGS.size()));
        String value = name.equals("search_path") ? "c" + number + ", public" : "c" + number + "_" + serial++;
        String text = name.equals("search_path") ? value : "'" + value + "'";
        if (random.nextBoolean()) {
            ok(command + " " + name + " = " + text);
        } else {
            boolean local = command.endsWith("LOCAL");
            row("SELECT set_config('" + name + "', '" + value + "', " + local + ")", value);
        }
        settings.put(name, value);
        return name;
    }

    private void reset() {
        if (random.nextBoolean()) {
            ok("RESET ALL");
            SETTINGS.forEach(name -> settings.put(name, initial(name)));
        } else if (random.nextInt(4) == 0) {
            ok("DISCARD ALL");
            SETTINGS.forEach(name -> settings.put(name, initial(name)));
            statements.clear();
            temporaryRows = -1;
        } else {
            String name = SETTINGS.get(random.nextInt(2));
            ok("RESET " + name);
            settings.put(name, ""); // RESET makes even an unheard custom setting known
        }
        checkSettings();
    }

    /** What RESET gives: a custom setting that was set once stays known, as ''. */
    private @Nullable String initial(String name) {
        return switch (name) {
            case "search_path" -> NO_PATH;
            case "stress.tenant" -> settings.get(name) == null ? null : "";
            default -> "";
        };
    }

    private void checkSettings() {
        row(
                "SELECT current_setting('application_name'), current_setting('stress.tenant', true),"
                        + " current_setting('search_path')",
                settings.get("application_name"),
                settings.get("stress.tenant"),
                settings.get("search_path"));
    }

    // ---- transactions

    private void transaction() {
        Map<String, @Nullable String> before = new HashMap<>(settings);
        Map<String, @Nullable String> session = new HashMap<>(settings);
        long rows = 0;
        long sum = 0;
        boolean failed = false;
        ok("BEGIN");
        for (int left = random.nextInt(1, 6); left > 0 && !failed; left--) {
            switch (random.nextInt(6)) {
                case 0, 1 -> {
                    int n = random.nextInt(1000);
                    ok("INSERT INTO public.stress_rows VALUES (" + number + ", " + n + ")");
                    rows++;
                    sum += n;
                }
                case 2 -> checkRows(rows, sum);
                case 3 -> checkSettings();
                case 4 -> {
                    String name = set("SET"); // what SET changed lasts beyond COMMIT
                    session.put(name, settings.get(name));
                }
                default -> failed = oddTurn();
            }
        }
        if (random.nextInt(20) == 0) {
            client.close(); // vanishes: nothing of the transaction may remain
            client = connect();
        } else if (!failed && random.nextInt(3) > 0) {
            ok("COMMIT");
            committedRows += rows;
            committedSum += sum;
            settings = afterLocal(session);
        } else {
            ok(failed && random.nextBoolean() ? "COMMIT" : "ROLLBACK");
            settings = afterLocal(before);
        }
        checkSettings();
    }

    /** SET LOCAL, a savepoint taken back, or an error that fails the transaction (then true). */
    private boolean oddTurn() {
        switch (random.nextInt(3)) {
            case 0 -> set("SET LOCAL");
            case 1 -> {
                Map<String, @Nullable String> before = new HashMap<>(settings);
                ok("SAVEPOINT s");
                set("SET");
                ok("INSERT INTO public.stress_rows VALUES (" + number + ", 1)");
                if (random.nextBoolean()) {
                    error("SELECT 1/0");
                }
                ok("ROLLBACK TO s");
                settings = afterLocal(before);
            }
            default -> {
                error("SELECT * FROM no_such_table_of_stress");
                return true;
            }
        }
        checkSettings();
        return false;
    }

    /** The settings that come back, where a custom one that was null is now known, as ''. */
    private Map<String, @Nullable String> afterLocal(Map<String, @Nullable String> back) {
        Map<String, @Nullable String> after = new HashMap<>(back);
        if (after.get("stress.tenant") == null && settings.get("stress.tenant") != null) {
            after.put("stress.tenant", "");
        }
        return after;
    }

    // ---- rows

    private void checkRows() {
        checkRows(0, 0);
    }

    private void checkRows(long moreRows, long moreSum) {
        row(
                "SELECT count(*), coalesce(sum(n), 0) FROM public.stress_rows WHERE client = " + number,
                Long.toString(committedRows + moreRows),
                Long.toString(committedSum + moreSum));
    }

    private void temporaryTable() {
        if (temporaryRows < 0) {
            ok("CREATE TEMP TABLE stress_temp (client int)");
            temporaryRows = 0;
        } else if (random.nextInt(3) == 0) {
            ok("DROP TABLE stress_temp");
            temporaryRows = -1;
            return;
        }
        ok("INSERT INTO stress_temp VALUES (" + number + ")");
        temporaryRows++;
        row("SELECT count(*), min(client), max(client) FROM stress_temp", temporaryRows, number, number);
    }

    // ---- statements

    private void prepare() {
        String name = "p" + random.nextInt(8);
        boolean sql = random.nextBoolean();
        if (statements.remove(name) != null) {
            if (random.nextBoolean()) {
                ok("DEALLOCATE " + name);
            } else {
                expect("3Z", answer(client.closeStatement(name).sync()));
            }
        }
        String value = "c" + number + "_" + serial++;
        String text = "SELECT '" + value + "', $1::int";
        if (sql) {
            ok("PREPARE " + name + " (int) AS " + text);
        } else {
            expect("1Z", answer(client.parse(name, text).sync()));
        }
        statements.put(name, value);
        error("PREPARE " + name + " AS SELECT 1");
    }

    private void executePrepared() {
        String name = "p" + random.nextInt(8);
        String value = statements.get(name);
        String argument = Integer.toString(random.nextInt(1000));
        if (random.nextBoolean()) {
            if (value == null) {
                error("EXECUTE " + name + " (" + argument + ")");
            } else {
                row("EXECUTE " + name + " (" + argument + ")", value, argument);
            }
        } else {
            List<Message> answer =
                    answer(client.bind("", name, argument).execute("").sync());
            if (value == null) {
                expect("EZ", answer);
            } else {
                expect("2DCZ", answer);
                values(answer, value, argument);
            }
        }
    }

    private void fail() {
        switch (random.nextInt(3)) {
            case 0 -> error("SELEC");
            case 1 -> {
                error("SET stress.tenant = 'lost'; SELECT 1/0");
                settings.putIfAbsent("stress.tenant", "");
            }
            default -> {
                client.parse("", "SELECT 1/$1::int")
                        .bind("", "", "0")
                        .execute("")
                        .sync();
                List<Message> answer = answer(client);
                if (answer.stream().noneMatch(message -> message.type() == 'E')) {
                    throw wrong("an error", answer);
                }
            }
        }
    }

    private void pipeline() {
        int depth = random.nextInt(2, 20);
        int first = serial;
        serial += depth;
        client.batch(b -> {
            for (int i = 0; i < depth; i++) {
                b.parse("", "SELECT $1::text, $2::int")
                        .bind("", "", "c" + number, Integer.toString(first + i))
                        .execute("")
                        .sync();
            }
        });
        for (int i = 0; i < depth; i++) {
            List<Message> answer = answer(client);
            expect("12DCZ", answer);
            values(answer, "c" + number, first + i);
        }
    }

    private void leave() {
        switch (random.nextInt(4)) {
            case 0 -> client.terminate();
            case 1 -> client.query("SELECT repeat('c" + number + "', 20000), pg_sleep(0.01)");
            case 2 -> client.parse("", "SELECT 1").flush();
            default -> client.raw((byte) 'Q', (byte) 0, (byte) 0);
        }
        client.close();
        client = connect();
        checkSettings();
        checkRows();
    }

    // ---- answers

    /** Up to ReadyForQuery, without ParameterStatus: that settings are right is checked by reading them. */
    private static List<Message> answer(RawClient asked) {
        return asked.readUntilReady().stream()
                .filter(message -> message.type() != 'S')
                .toList();
    }

    private void ok(String sql) {
        List<Message> answer = answer(client.query(sql));
        if (!Message.types(answer).equals("CZ")) {
            throw wrong("success of " + sql, answer);
        }
    }

    private void error(String sql) {
        String types = Message.types(answer(client.query(sql)));
        if (!types.endsWith("EZ")) {
            throw wrong("an error of " + sql, types);
        }
    }

    private void row(String sql, @Nullable Object... values) {
        List<Message> answer = answer(client.query(sql));
        if (!Message.types(answer).equals("TDCZ")) {
            throw wrong("one row of " + sql, answer);
        }
        values(answer, values);
    }

    private void values(List<Message> answer, @Nullable Object... expected) {
        for (Message message : answer) {
            if (message.type() == 'D') {
                List<@Nullable String> values = message.values();
                for (int i = 0; i < expected.length; i++) {
                    String value = expected[i] == null ? null : expected[i].toString();
                    if (!Objects.equals(values.get(i), value)) {
                        throw wrong("'" + value + "' in column " + i, answer);
                    }
                }
            }
        }
    }

    private void expect(String types, List<Message> answer) {
        if (!Message.types(answer).equals(types)) {
            throw wrong(types, answer);
        }
    }

    private AssertionError wrong(String expected, Object received) {
        return new AssertionError("client " + number + " expected " + expected + " but received " + received
                + "; its settings are " + settings + ", its statements " + statements);
    }
}
