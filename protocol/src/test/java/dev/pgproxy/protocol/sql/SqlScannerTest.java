package dev.pgproxy.protocol.sql;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.Unpooled;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SqlScannerTest {
    /** Tokens as {@code type<text>}, separated by blanks; one letter per type. */
    private static String tokens(String sql, boolean standardConformingStrings) {
        byte[] bytes = sql.getBytes(UTF_8);
        SqlScanner scanner = new SqlScanner();
        scanner.reset(Unpooled.wrappedBuffer(bytes), 0, bytes.length, standardConformingStrings);
        StringBuilder out = new StringBuilder();
        while (scanner.next() != TokenType.END) {
            String text = new String(bytes, scanner.start(), scanner.end() - scanner.start(), UTF_8);
            out.append(letter(scanner.type())).append('<').append(text).append("> ");
        }
        return (out + (scanner.isUnterminated() ? "UNTERMINATED" : "")).strip();
    }

    private static String tokens(String sql) {
        return tokens(sql, true);
    }

    private static char letter(int type) {
        return type < 13 ? "?WQSBNPO:cgd!".charAt(type) : 's';
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            quoteCharacter = '\u0001',
            value = {
                "SELECT a_1$ ~ W<SELECT> W<a_1$>",
                "Größe über日本 ~ W<Größe> W<über日本>",
                "a.b . c ~ W<a> s<.> W<b> s<.> W<c>",
                "exactly8 exactly_16_bytes seventeen_bytes_x ~ W<exactly8> W<exactly_16_bytes> W<seventeen_bytes_x>",
                "\"a\"\"b\"\"\" x ~ Q<\"a\"\"b\"\"\"> W<x>",
                "U&\"d\\0061t\" u&x ~ Q<U&\"d\\0061t\"> W<u> O<&> W<x>",
                "u & \"x\" ~ W<u> O<&> Q<\"x\">",
            })
    void namesAreFound(String sql, String expected) {
        assertThat(tokens(sql)).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            quoteCharacter = '\u0001',
            value = {
                "'it''s' x ~ S<'it''s'> W<x>",
                "'a\\' b ~ S<'a\\'> W<b>",
                "E'a\\'b' c ~ S<E'a\\'b'> W<c>",
                "e'\\\\' c ~ S<e'\\\\'> W<c>",
                "U&'d\\' c ~ S<U&'d\\'> W<c>",
                "N'x' B'01' X'0F' ~ S<N'x'> B<B'01'> B<X'0F'>",
                "nx'a' ~ W<nx> S<'a'>",
                "'' '' ~ S<''> S<''>",
                "$$a'b$$ x ~ S<$$a'b$$> W<x>",
                "$t$ $$ $T$ $t$ ~ S<$t$ $$ $T$ $t$>",
                "$a$$b$a$ ~ S<$a$$b$a$>",
                "$ä_1$x$ä_1$ ~ S<$ä_1$x$ä_1$>",
                "a$b$c ~ W<a$b$c>",
                "$1 $22x $ ~ P<$1> P<$22> W<x> !<$>",
                "$1$ ~ P<$1> !<$>",
            })
    void literalsAndParametersAreFound(String sql, String expected) {
        assertThat(tokens(sql)).isEqualTo(expected);
    }

    @Test
    void literalsGoOnOnlyBehindANewline() {
        assertThat(tokens("'a'\n'b' 'c'")).isEqualTo("S<'a'\n'b'> S<'c'>");
        assertThat(tokens("'a' -- x\n \t'b'")).isEqualTo("S<'a' -- x\n \t'b'>");
        assertThat(tokens("'a' /* \n */ 'b'")).isEqualTo("S<'a'> S<'b'>");
        assertThat(tokens("E'a'\n'\\'; b'")).isEqualTo("S<E'a'\n'\\'; b'>");
        assertThat(tokens("'a'\r'b'\n")).isEqualTo("S<'a'\r'b'>");
    }

    @Test
    void backslashesEscapeWhereStandardConformingStringsIsOff() {
        assertThat(tokens("'a\\'; b' c", false)).isEqualTo("S<'a\\'; b'> W<c>");
        assertThat(tokens("N'\\'' c", false)).isEqualTo("S<N'\\''> W<c>");
        assertThat(tokens("X'\\' c", false)).isEqualTo("B<X'\\'> W<c>");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            quoteCharacter = '\u0001',
            value = {
                "1 1.5 .5 1. 1e10 1.5E-3 1_000 ~ N<1> N<1.5> N<.5> N<1.> N<1e10> N<1.5E-3> N<1_000>",
                "0x1F 0b11 0o17 0xg ~ N<0x1F> N<0b11> N<0o17> N<0> W<xg>",
                "1..10 1e 1e+ 1a ~ N<1> d<..> N<10> N<1> W<e> N<1> W<e> O<+> N<1> W<a>",
                "t.1 ~ W<t> N<.1>",
            })
    void numbersAreFound(String sql, String expected) {
        assertThat(tokens(sql)).isEqualTo(expected);
    }

    @Test
    void operatorsAreTheLongestPossible() {
        assertThat(tokens("a<=b<>c!=d")).isEqualTo("W<a> O<<=> W<b> O<<>> W<c> O<!=> W<d>");
        assertThat(tokens("a@>b ->> c #>> d")).isEqualTo("W<a> O<@>> W<b> O<->>> W<c> O<#>>> W<d>");
        assertThat(tokens("a::b := => . : [")).isEqualTo("W<a> :<::> W<b> c<:=> g<=>> s<.> s<:> s<[>");
    }

    @Test
    void operatorsEndInASignOnlyWithSpecialCharacters() {
        assertThat(tokens("a=-1")).isEqualTo("W<a> O<=> O<-> N<1>");
        assertThat(tokens("a*+-b")).isEqualTo("W<a> O<*> O<+> O<-> W<b>");
        assertThat(tokens("a@-b")).isEqualTo("W<a> O<@-> W<b>");
    }

    @Test
    void commentsEndOperatorsAndAreSkipped() {
        assertThat(tokens("a +-- c\n b")).isEqualTo("W<a> O<+> W<b>");
        assertThat(tokens("a */* c */ b")).isEqualTo("W<a> O<*> W<b>");
        assertThat(tokens("a/* x /* ' */ \" */b--")).isEqualTo("W<a> W<b>");
        assertThat(tokens("--\r a")).isEqualTo("W<a>");
        assertThat(tokens("/**/")).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            quoteCharacter = '\u0001',
            value = {"'abc", "E'abc\\'", "\"abc", "/* a /* b */", "$$abc$", "$x$ $X$", "U&\"abc", "a||'b", "B'0"})
    void textThatEndsInsideATokenIsUnterminated(String sql) {
        assertThat(tokens(sql)).endsWith("UNTERMINATED");
    }

    @Test
    void everyPrefixOfATextIsScannedToItsEnd() {
        byte[] bytes = ("SELECT \"a\"\"b\", U&'x' , E'\\'', $x$ y $x$, 0x1F, 1.5e-3, a->>'b' /* c */ -- d\n"
                        + "FROM überlange_bezeichner::varchar(10) WHERE a..b := $12 => 'a'\n 'b'")
                .getBytes(UTF_8);
        SqlScanner scanner = new SqlScanner();
        for (int length = 0; length <= bytes.length; length++) {
            scanner.reset(bytes, 0, length, true);
            int before = 0;
            while (scanner.next() != TokenType.END) {
                assertThat(scanner.start()).isGreaterThanOrEqualTo(before);
                assertThat(scanner.end()).isGreaterThan(scanner.start()).isLessThanOrEqualTo(length);
                before = scanner.end();
            }
        }
    }
}
