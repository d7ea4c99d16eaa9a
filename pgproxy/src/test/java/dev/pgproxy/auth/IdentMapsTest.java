package dev.pgproxy.auth;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Files in the form of {@code pg_ident.conf}, and the rules that name their maps. */
final class IdentMapsTest {
    private final List<FileProblem> problems = new ArrayList<>();

    private IdentMaps parse(String text) {
        return IdentMaps.parse("ident", text, problems);
    }

    @Test
    void aLineLetsOneBeAnother() {
        IdentMaps maps = parse("""
                # map   system       user
                people  ann@example  ann
                people  ann@example  "app user"
                people  root         all   # everybody
                other   bob          "all"
                """);
        assertThat(problems).isEmpty();
        assertThat(maps.allows("people", "ann@example", "ann")).isTrue();
        assertThat(maps.allows("people", "ann@example", "app user")).isTrue();
        assertThat(maps.allows("people", "ann@example", "bob")).isFalse();
        assertThat(maps.allows("people", "ann", "ann")).isFalse();
        assertThat(maps.allows("people", "root", "whoever")).isTrue();
        assertThat(maps.allows("other", "bob", "whoever")).isFalse();
        assertThat(maps.allows("other", "bob", "all")).isTrue();
        assertThat(maps.allows("nowhere", "ann", "ann")).isFalse();
        assertThat(maps.has("other")).isTrue();
        assertThat(maps.has("nowhere")).isFalse();
    }

    @Test
    void whatIsNotPlainIsAProblem() {
        parse("a b\na b c d\na /^(.*)$ b\na b +role\na b,c d\na \"b c\n");
        assertThat(problems).extracting(FileProblem::line).containsExactly(1, 2, 3, 4, 5, 6);
        assertThat(problems)
                .extracting(FileProblem::message)
                .contains(
                        "expects a map, a name of the system and a user",
                        "\"+role\" is not supported: neither are regular expressions, roles or files");
    }

    @Test
    void aRuleNamesAMapThatIsThere() {
        HbaRules rules = HbaRules.parse("hba", """
                local all all peer map=people
                hostssl all all all cert map=missing
                """, problems);
        assertThat(problems).isEmpty();
        assertThat(rules.match(null, false, "d", "u", false))
                .isEqualTo(new HbaRule(1, AuthMethod.PEER, ClientCertificate.NONE, "people"));
        rules.checkMaps("hba", parse("people a b"), problems);
        assertThat(problems).containsExactly(new FileProblem("hba", 2, "map \"missing\" is not in auth_ident_file"));
    }
}
