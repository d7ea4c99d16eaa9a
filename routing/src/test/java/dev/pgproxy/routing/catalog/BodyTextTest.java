package dev.pgproxy.routing.catalog;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.routing.sql.Name;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class BodyTextTest {
    @Test
    void everyIdentifierMayBeARelation() {
        BodyText body =
                new BodyText("SELECT a.b FROM \"Odd \"\"Name\" x, app.\"Тест\" JOIN u&\"d\\0061ta\" USING (id)");
        assertThat(body.relations)
                .contains(
                        new Name(null, "Odd \"Name"),
                        new Name("app", "Тест"),
                        new Name(null, "data"),
                        new Name("a", "b"));
        assertThat(body.words).contains("id", "b", "Тест");
        assertThat(body.dynamic).isFalse();
    }

    @Test
    void functionsStandBeforeParentheses() {
        BodyText body = new BodyText("SELECT f (1), s.g(2), db.s.h(3), i FROM t -- j(4)\n WHERE 'k(5)' = $$l(6)$$");
        assertThat(body.functions)
                .containsExactlyInAnyOrder(new Name(null, "f"), new Name("s", "g"), new Name("s", "h"));
    }

    @Test
    void operatorsAreAsWritten() {
        assertThat(new BodyText("SELECT a ~=~ b, c OPERATOR(s.@@@) d").operators)
                .containsExactlyInAnyOrder(new Name(null, "~=~"), new Name("s", "@@@"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "BEGIN EXECUTE q; END",
                "FOR r IN EXECUTE 'x' LOOP",
                "DO $$ BEGIN END $$",
                "do language plpgsql 'x'",
                "SELECT U&\"d!0061ta\" UESCAPE '!'",
                "SELECT 'open",
                "SELECT \"open"
            })
    void whatCanRunATextOrIsNotReadIsDynamic(String text) {
        assertThat(new BodyText(text).dynamic).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "CREATE TABLE x (a int)",
                "BEGIN DROP TABLE x; END",
                "GRANT SELECT ON t TO u",
                "COMMENT ON TABLE t IS 'x'",
                "SECURITY LABEL ON TABLE t IS 'x'"
            })
    void definitionsAreSeen(String text) {
        assertThat(new BodyText(text).defines).isTrue();
    }

    @Test
    void ordinaryBodiesAreNeitherDynamicNorDefinitions() {
        BodyText body = new BodyText(
                "BEGIN INSERT INTO t (comment, security) VALUES (1, 2) ON CONFLICT (a) DO UPDATE SET a = 1; END");
        assertThat(body.dynamic).isFalse();
        assertThat(body.defines).isFalse();
        assertThat(body.truncates).isFalse();
        assertThat(new BodyText("TRUNCATE t").truncates).isTrue();
    }

    @Test
    void theStartOfTheTransactionHasManyNames() {
        for (String text :
                List.of("SELECT now()", "SELECT current_date", "SELECT LOCALTIME(3)", "SELECT ' NOW '::date")) {
            assertThat(new BodyText(text).transactionBound).as(text).isTrue();
        }
        for (String text : List.of("SELECT clock_timestamp()", "SELECT 'know'", "SELECT statement_timestamp()")) {
            assertThat(new BodyText(text).transactionBound).as(text).isFalse();
        }
    }

    @Test
    void settingsWithADotAreTheUsersOwn() {
        Name currentSetting = new Name(null, "current_setting");
        assertThat(new BodyText("SELECT current_setting('app.tenant', true)").functions)
                .isEmpty();
        assertThat(new BodyText("SELECT current_setting('work_mem')").functions).containsExactly(currentSetting);
        assertThat(new BodyText("SELECT current_setting(x || '.y')").functions).containsExactly(currentSetting);
    }

    @Test
    void everyPrefixOfABodyIsRead() {
        String text =
                "SELECT \"a\"\"b\".c(E'x\\'y', $t$ z $t$) FROM U&\"d\\0061ta\" /* n /* m */ */ WHERE a.b.c <> $1 -- e";
        for (int end = 0; end <= text.length(); end++) {
            assertThat(new BodyText(text.substring(0, end)).words).isNotNull();
        }
    }
}
