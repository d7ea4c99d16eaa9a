package dev.pgproxy.routing.sql;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class LikePatternTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "PREFIX | SELECT 1 FROM t WHERE a LIKE 'x%'",
                "PREFIX | SELECT '%' FROM t WHERE a like 'x' AND b LIKE 'y%' AND c = '%'",
                "LEADING_WILDCARD | SELECT 1 FROM t WHERE a LIKE '%x'",
                "LEADING_WILDCARD | SELECT 1 FROM t WHERE a NOT ILIKE /* '… */ '_x'",
                "UNKNOWN | SELECT 1 FROM t WHERE a = '%x'",
                "UNKNOWN | SELECT 1 FROM t WHERE a LIKE $1",
                "UNKNOWN | SELECT 1 FROM t WHERE a LIKE 'x%' AND b LIKE '%x'",
                "UNKNOWN | SELECT 1 FROM t WHERE a LIKE 'x%' AND b LIKE $1",
                "UNKNOWN | SELECT 1 FROM t WHERE a LIKE E'\\x25x'",
                "UNKNOWN | SELECT 1 FROM t WHERE a LIKE ''",
                "UNKNOWN | SELECT 1 FROM t WHERE \"like\" = '%x'",
                "UNKNOWN | SELECT 1 FROM t WHERE a LIKE"
            })
    void onlyTheKindOfPatternsIsKept(LikePattern expected, String sql) {
        assertThat(LikePattern.of(sql.getBytes(UTF_8), true)).isEqualTo(expected);
    }
}
