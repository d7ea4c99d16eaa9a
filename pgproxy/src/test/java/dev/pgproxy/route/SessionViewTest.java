package dev.pgproxy.route;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.routing.catalog.SearchPath;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class SessionViewTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            quoteCharacter = '`',
            value = {
                "SET search_path TO app, \"Sales\" ~ app, \"Sales\"",
                "set search_path = App,'public' ~ app, public",
                "SET SCHEMA 'x y' ~ x y",
                "SET SCHEMA 'X' ~ \"X\"",
                "SELECT pg_catalog.set_config('search_path','a, \"B\"',false) ~ a, \"B\"",
                "SET default_transaction_isolation TO 'repeatable read' ~ repeatable read",
            })
    void theValueIsReadFromTheSqlThatSetsIt(String sql, String list) {
        assertThat(SessionView.list(sql)).isEqualTo(list);
    }

    @Test
    void aListNamesSchemas() {
        assertThat(SessionView.path("app, \"Sales \"\"x\"\"\", Public", "ann").schemas())
                .containsExactly("app", "Sales \"x\"", "public");
        assertThat(SessionView.path("\"$user\", public", "ann").schemas()).containsExactly("ann", "public");
        assertThat(SessionView.path("public, \"$user\"", "ann").schemas()).containsExactly("public", "ann");
        assertThat(SessionView.path("\"$user\", public", null)).isEqualTo(SearchPath.ANY);
    }

    @Test
    void timesHaveUnits() {
        assertThat(SessionView.nanos("50ms")).isEqualTo(50_000_000);
        assertThat(SessionView.nanos("2")).isEqualTo(2_000_000);
        assertThat(SessionView.nanos("1.5 min")).isEqualTo(90_000_000_000L);
        assertThat(SessionView.nanos(null)).isZero();
        assertThat(SessionView.nanos("soon")).isZero();
    }
}
