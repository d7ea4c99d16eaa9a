package dev.pgproxy.query;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.session.Settings;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Alignment applied to a toy of a server; {@code -Dalignment.seed=} repeats a run. */
final class SettingsAlignmentTest {
    private static final long SEED = Long.getLong("alignment.seed", System.nanoTime());
    private static final List<String> NAMES = List.of(
            "client_encoding",
            "standard_conforming_strings",
            "search_path",
            "app.tenant",
            "role",
            "session_authorization",
            "work_mem",
            "we\"ird.na me");

    /** Understands what alignment says: SET name, RESET name, with roles as PostgreSQL has them. */
    private static final class Toy {
        private static final Pattern STATEMENT =
                Pattern.compile("(RESET SESSION AUTHORIZATION)|RESET ROLE|RESET (.+)|<(.+?)>.*");
        private final Map<String, String> values = new HashMap<>();

        void run(String sql) {
            Matcher matcher = STATEMENT.matcher(sql);
            assertThat(matcher.matches()).as(sql).isTrue();
            if (matcher.group(1) != null) {
                values.remove(Settings.SESSION_AUTHORIZATION);
                values.remove(Settings.ROLE);
            } else if (sql.equals("RESET ROLE")) {
                values.remove(Settings.ROLE);
            } else if (matcher.group(2) != null) {
                onlyAsLoginUser(sql);
                values.remove(unquoted(matcher.group(2)));
            } else {
                String name = matcher.group(3);
                if (name.equals(Settings.SESSION_AUTHORIZATION)) {
                    values.remove(Settings.ROLE); // it resets the role
                } else if (!name.equals(Settings.ROLE)) {
                    onlyAsLoginUser(sql);
                }
                values.put(name, sql);
            }
        }

        private void onlyAsLoginUser(String sql) {
            assertThat(values).as(sql).doesNotContainKeys(Settings.ROLE, Settings.SESSION_AUTHORIZATION);
        }

        private static String unquoted(String name) {
            StringBuilder out = new StringBuilder();
            boolean quoted = false;
            for (int i = 0; i < name.length(); i++) {
                char c = name.charAt(i);
                if (c != '"') {
                    out.append(c);
                } else if (quoted && i + 1 < name.length() && name.charAt(i + 1) == '"') {
                    out.append(c);
                    i++;
                } else {
                    quoted = !quoted;
                }
            }
            return out.toString();
        }
    }

    private static Settings random(Random random) {
        Settings settings = Settings.NONE;
        for (int n = random.nextInt(6); n > 0; n--) {
            String name = NAMES.get(random.nextInt(NAMES.size()));
            settings = settings.with(name, "<" + name + "> " + random.nextInt(3));
        }
        return settings;
    }

    @Test
    void whatAlignmentSaysTurnsOneIntoTheOther() {
        Random random = new Random(SEED);
        for (int round = 0; round < 20_000; round++) {
            Settings from = random(random);
            Settings to = random(random);
            Toy server = new Toy();
            from.names().forEach(name -> server.values.put(name, String.valueOf(from.get(name))));
            List<String> sql = SettingsAlignment.between(from, to);
            sql.forEach(server::run);
            Map<String, String> wanted = new HashMap<>();
            to.names().forEach(name -> wanted.put(name, String.valueOf(to.get(name))));
            assertThat(server.values)
                    .as("-Dalignment.seed=%s, round %s: %s", SEED, round, sql)
                    .isEqualTo(wanted);
            if (from.equals(to)) {
                assertThat(sql).isEmpty();
            }
        }
    }

    @Test
    void onlyTheDifferenceIsSaid() {
        Settings from = Settings.NONE.with("a", "SET a TO 1").with("b", "SET b TO 1");
        Settings to = Settings.NONE.with("b", "SET b TO 2").with("c", "SET c TO 1");
        assertThat(SettingsAlignment.between(from, to)).containsExactly("RESET a", "SET b TO 2", "SET c TO 1");
    }

    @Test
    void whatDecidesHowTextIsReadIsSetFirst() {
        Settings to = Settings.NONE
                .with("a", "SET a TO 'x'")
                .with("standard_conforming_strings", "SET standard_conforming_strings TO off")
                .with("client_encoding", "SET client_encoding TO latin1");
        List<String> sql = new ArrayList<>(SettingsAlignment.between(Settings.NONE, to));
        Set<String> firstTwo = new HashSet<>(sql.subList(0, 2));
        assertThat(firstTwo).noneMatch(s -> s.startsWith("SET a"));
        assertThat(sql.getLast()).isEqualTo("SET a TO 'x'");
    }

    @Test
    void aValueIsQuotedWhateverItHolds() {
        assertThat(SettingsAlignment.setConfig("search_path", "a, 'b\\'"))
                .startsWith("SELECT pg_catalog.set_config(")
                .endsWith(",false)")
                .contains("''b");
    }
}
