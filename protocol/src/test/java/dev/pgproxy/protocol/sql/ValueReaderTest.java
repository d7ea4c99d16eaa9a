package dev.pgproxy.protocol.sql;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.Unpooled;
import org.junit.jupiter.api.Test;

/** Which values pick rows. */
final class ValueReaderTest {
    private final ValueReader reader = new ValueReader();

    private ValuePlaces places(String sql) {
        return reader.places(sql.getBytes(UTF_8), true);
    }

    private long literals(String sql) {
        byte[] text = sql.getBytes(UTF_8);
        reader.read(Unpooled.wrappedBuffer(text), 0, text.length, true);
        return reader.literals();
    }

    private boolean isBatch(String sql) {
        literals(sql);
        return reader.isBatch();
    }

    @Test
    void equalityPicksRowsAndPagingDoesNot() {
        ValuePlaces places = places("SELECT * FROM t WHERE \"t\".\"a_id\" = $1 AND b > $2 LIMIT $3 OFFSET $4");
        assertThat(places.keys()).isEqualTo(0b1);
        assertThat(places.hasKey()).isTrue();
        assertThat(places.columns()).containsExactly("\"a_id\"".replace("\"", ""));
        assertThat(places.single()).isEqualTo(4);
    }

    @Test
    void pagesHaveNoKey() {
        assertThat(places("SELECT * FROM t WHERE id > $1 ORDER BY id LIMIT $2").hasKey())
                .isFalse();
        assertThat(places("SELECT * FROM t ORDER BY id LIMIT 10 OFFSET 20").hasKey())
                .isFalse();
        assertThat(places("SELECT * FROM t WHERE (a, b) < ($1, $2) ORDER BY a FETCH FIRST $3 ROWS ONLY")
                        .hasKey())
                .isFalse();
        assertThat(places("SELECT * FROM t WHERE a < $1 OR a = $2 AND b < $3").hasKey())
                .isFalse();
        assertThat(places("SELECT * FROM t WHERE a BETWEEN $1 AND $2").hasKey()).isFalse();
        assertThat(places("SELECT 1").hasKey()).isFalse();
    }

    @Test
    void aColumnBehindARangeIsItsOwn() {
        assertThat(places("SELECT * FROM t WHERE a < $1 AND b = $2").keys()).isEqualTo(0b10);
        assertThat(places("SELECT * FROM t WHERE a BETWEEN $1 AND $2 AND b = $3")
                        .keys())
                .isEqualTo(0b100);
        assertThat(places("SELECT * FROM t WHERE lower(b) = lower($1)").keys()).isEqualTo(0b1);
        assertThat(places("SELECT * FROM t JOIN u ON t.a = u.b WHERE u.c LIKE $1")
                        .columns())
                .containsExactly("c");
    }

    @Test
    void theValueMayStandBeforeItsColumn() {
        ValuePlaces places = places("SELECT * FROM t WHERE $1 = t.a AND $2 = \"b\" OR $3 < c ORDER BY d LIMIT $4");
        assertThat(places.keys()).isEqualTo(0b11);
        assertThat(places.columns()).containsExactly("a", "b");
        assertThat(places("SELECT * FROM t WHERE ($1 = lower(a)) AND b > $2").columns())
                .containsExactly("a");
        assertThat(places("SELECT $1 FROM t WHERE a = b").hasKey()).isFalse();
        assertThat(places("SELECT 1, a FROM t").hasKey()).isFalse();
        assertThat(places("SELECT * FROM t WHERE $1 = (SELECT a FROM u)").hasKey())
                .isFalse();
        long one = literals("SELECT 5 FROM t WHERE 1 = t.a");
        assertThat(literals("SELECT 6 FROM t WHERE 1 = t.a")).isEqualTo(one);
        assertThat(literals("SELECT 5 FROM t WHERE 2 = t.a")).isNotEqualTo(one);
        assertThat(literals("SELECT 5 FROM t WHERE 2 = t.a ORDER BY 1")).isNotEqualTo(one);
    }

    @Test
    void listsAndArraysAreBatches() {
        assertThat(places("SELECT * FROM t WHERE a = ANY($1)").isBatch(1)).isTrue();
        ValuePlaces list = places("SELECT * FROM t WHERE a IN ($1, $2, $3) AND b = $4");
        assertThat(list.single()).isEqualTo(1);
        assertThat(list.isBatch(4)).isTrue();
        assertThat(list.isBatch(2)).isFalse();
        assertThat(isBatch("SELECT * FROM t WHERE a IN (1, 2)")).isTrue();
        assertThat(isBatch("SELECT * FROM t WHERE a IN (1) AND b = 2")).isFalse();
        assertThat(isBatch("SELECT coalesce(a, 1, 2) FROM t WHERE a IN (1)")).isFalse();
    }

    @Test
    void literalsThatPickRowsMakeTheHash() {
        long one = literals("SELECT * FROM t WHERE a = 1 LIMIT 10");
        assertThat(literals("SELECT * FROM t WHERE a = 1 LIMIT 20 /* another page */"))
                .isEqualTo(one);
        assertThat(literals("SELECT * FROM t WHERE a = 2 LIMIT 10")).isNotEqualTo(one);
        assertThat(literals("SELECT * FROM t WHERE a = 'x'")).isNotEqualTo(literals("SELECT * FROM t WHERE a = 'y'"));
        assertThat(literals("SELECT * FROM t WHERE a = 'x' AND b = 'y'"))
                .isNotEqualTo(literals("SELECT * FROM t WHERE a = 'y' AND b = 'x'"));
    }

    @Test
    void anythingIsReadToItsEnd() {
        for (String sql :
                new String[] {"", "= $1", "IN (", "$0 = $99999999999", ") ) OR LIMIT", "a = 'open", "\"", "$70=$65"}) {
            literals(sql);
            assertThat(places(sql)).isNotNull();
        }
    }
}
