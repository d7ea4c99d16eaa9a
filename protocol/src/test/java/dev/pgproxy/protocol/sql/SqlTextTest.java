package dev.pgproxy.protocol.sql;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class SqlTextTest {
    private static @Nullable String string(String sql, boolean standardConformingStrings) {
        byte[] bytes = sql.getBytes(UTF_8);
        return SqlText.decodeString(bytes, 0, bytes.length, standardConformingStrings);
    }

    private static @Nullable String string(String sql) {
        return string(sql, true);
    }

    private static @Nullable String identifier(String sql) {
        byte[] bytes = sql.getBytes(UTF_8);
        return SqlText.decodeIdentifier(bytes, 0, bytes.length);
    }

    @Test
    void literalsAreDecoded() {
        assertThat(string("'it''s \\n'")).isEqualTo("it's \\n");
        assertThat(string("'a\\'b'", false)).isEqualTo("a'b");
        assertThat(string("N'é'")).isEqualTo("é");
        assertThat(string("E'\\n\\t\\b\\f\\r\\v\\\\\\'\\x41\\101\\u00e9\\U0001F600\\uD83D\\uDE00\\q'"))
                .isEqualTo("\n\t\b\f\r\u000b\\'AAé😀😀q");
        assertThat(string("U&'d\\0061t\\\\\\+000061'''")).isEqualTo("dat\\a'");
        assertThat(string("$x$a'$$b$x$")).isEqualTo("a'$$b");
        assertThat(string("$$$$")).isEmpty();
        assertThat(string("'a' -- it's\n 'b'")).isEqualTo("ab");
    }

    @Test
    void invalidEscapesAndBytesGiveNull() {
        assertThat(string("E'\\u12'")).isNull();
        assertThat(string("U&'\\12'")).isNull();
        assertThat(string("E'\\xff'")).isNull();
        assertThat(identifier("U&\"\\12\"")).isNull();
    }

    @Test
    void whatHasNoEndHasNoValue() {
        for (String text : new String[] {"\"", "\"a", "U&\"", "u&\"a", "U&\"\\0061"}) {
            assertThat(identifier(text)).as(text).isNull();
        }
        for (String text : new String[] {"$$", "$$a", "$a$", "$a$b$a"}) {
            assertThat(string(text)).as(text).isNull();
        }
    }

    @Test
    void identifiersAreFoldedUnescapedAndCut() {
        assertThat(identifier("Größe_X")).isEqualTo("größe_x");
        assertThat(identifier("ÄB")).isEqualTo("Äb");
        assertThat(identifier("\"A\"\"b\"")).isEqualTo("A\"b");
        assertThat(identifier("U&\"d\\0061t\"")).isEqualTo("dat");
        assertThat(identifier("a".repeat(70))).hasSize(63);
        assertThat(identifier("\"" + "a".repeat(62) + "é\"")).hasSize(62);
    }

    @Test
    void quotingComesBackThroughDecoding() {
        for (String text : new String[] {"", "a", "it's", "a\\b", "\\'", "é\n😀", "\""}) {
            assertThat(string(SqlText.quoteLiteral(text), true)).isEqualTo(text);
            assertThat(string(SqlText.quoteLiteral(text), false)).isEqualTo(text);
        }
        for (String name : new String[] {"a", "A", "a b", "a\"b", "select", "left", "é", "1a", "_x9", "a$"}) {
            assertThat(identifier(SqlText.quoteIdentifier(name))).isEqualTo(name);
        }
    }

    @Test
    void onlyPlainNamesStayUnquoted() {
        assertThat(SqlText.quoteIdentifier("abc_1")).isEqualTo("abc_1");
        assertThat(SqlText.quoteIdentifier("pg_catalog")).isEqualTo("pg_catalog");
        assertThat(SqlText.quoteIdentifier("select")).isEqualTo("\"select\"");
        assertThat(SqlText.quoteIdentifier("")).isEqualTo("\"\"");
        assertThat(SqlText.quoteIdentifier("a$")).isEqualTo("\"a$\"");
    }
}
