package dev.pgproxy.cache.feed;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What a notification says is read as it was meant, or not at all. */
class InvalidationTest {
    @Test
    void oidsAreUnsigned() {
        assertThat(Invalidation.parse("oid:16385")).isEqualTo(new Invalidation.Targets(Set.of(16385)));
        assertThat(Invalidation.parse("oid:1 4294967295 1"))
                .isEqualTo(new Invalidation.Targets(Set.of(1, (int) 4294967295L)));
    }

    @Test
    void namesAreReadAsSqlReadsThem() {
        assertThat(folded("table:public.Orders")).containsExactly("public", "orders");
        assertThat(folded("table:orders")).containsExactly("orders");
        assertThat(folded("table: \"Or.d\"\"ers\" ")).containsExactly("Or.d\"ers");
        assertThat(folded("table:\"A b\".\"C\"")).containsExactly("A b", "C");
    }

    private static List<String> folded(String payload) {
        Invalidation read = Invalidation.parse(payload);
        assertThat(read).isInstanceOf(Invalidation.Named.class);
        return ((Invalidation.Named) read).spelling().folded();
    }

    @Test
    void everythingIsSaidInOneWay() {
        assertThat(Invalidation.parse("all")).isEqualTo(new Invalidation.Everything());
    }

    @Test
    void definitionsMayComeWithAReason() {
        assertThat(Invalidation.parse("schema")).isEqualTo(new Invalidation.Definitions(""));
        assertThat(Invalidation.parse("schema:migrated 3 x")).isEqualTo(new Invalidation.Definitions("migrated 3 x"));
    }

    @Test
    void whatCannotBeReadIsSaidToBeSo() {
        for (String payload : List.of(
                "",
                "ALL",
                "schemas",
                "all ",
                "orders",
                "table:",
                "table: ",
                "table:\"",
                "table:\"a",
                "table:\"a\"b",
                "oid:",
                "oid:x",
                "oid:-1",
                "oid:4294967296",
                "oid:1,2")) {
            assertThat(Invalidation.parse(payload)).isEqualTo(new Invalidation.Unreadable(payload));
        }
    }
}
