package dev.pgproxy.routing.catalog;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.routing.catalog.CatalogRows.InheritanceRow;
import dev.pgproxy.routing.catalog.CatalogRows.RelationRow;
import org.junit.jupiter.api.Test;

/** Whose writes triggers tell, and where the rows are that a notification is about. */
class ToldTest {
    private static final int PARENT = 20_001;
    private static final int MIDDLE = 20_002;
    private static final int LEAF = 20_003;
    private static final int OTHER = 20_004;

    /** A table with a partition that has one itself, and one of the same name as the leaf elsewhere. */
    private static Catalog catalog(boolean parent, boolean middle, boolean leaf) {
        Rows rows = new Rows();
        rows.relations.add(new RelationRow(PARENT, "public", "parent", 'p', 'p', false, false, parent));
        rows.relations.add(new RelationRow(MIDDLE, "public", "middle", 'p', 'p', false, false, middle));
        rows.relations.add(new RelationRow(LEAF, "public", "leaf", 'r', 'p', false, false, leaf));
        rows.relations.add(new RelationRow(OTHER, "other", "leaf", 'r', 'p', false, false, false));
        rows.inheritance.add(new InheritanceRow(PARENT, MIDDLE));
        rows.inheritance.add(new InheritanceRow(MIDDLE, LEAF));
        return rows.catalog();
    }

    @Test
    void everyTableAboveMustTellToo() {
        Catalog all = catalog(true, true, true);
        assertThat(all.isTold(PARENT) && all.isTold(MIDDLE) && all.isTold(LEAF)).isTrue();
        assertThat(all.isTold(OTHER)).isFalse();
        assertThat(all.untold(PARENT)).isNull();

        Catalog silent = catalog(false, true, true);
        assertThat(silent.isTold(PARENT) || silent.isTold(MIDDLE) || silent.isTold(LEAF))
                .isFalse();
        assertThat(silent.untold(LEAF)).isEqualTo("public.parent");

        Catalog below = catalog(true, true, false);
        assertThat(below.isTold(PARENT)).isTrue();
        assertThat(below.isTold(LEAF)).isFalse();
        assertThat(below.untold(PARENT)).isEqualTo("public.leaf");
    }

    @Test
    void rowsAreInWhatIsBelow() {
        Catalog catalog = catalog(true, true, true);
        assertThat(catalog.rowsOf(PARENT)).isEqualTo(RelationSet.of(PARENT, MIDDLE, LEAF));
        assertThat(catalog.rowsOf(LEAF)).isEqualTo(RelationSet.of(LEAF));
        assertThat(catalog.rowsOf(29_999)).isEqualTo(RelationSet.ALL);
        assertThat(catalog.writing(MIDDLE)).isEqualTo(RelationSet.of(PARENT, MIDDLE, LEAF));
    }

    @Test
    void aNameWithoutSchemaIsThatOfEverySchema() {
        Catalog catalog = catalog(true, true, true);
        assertThat(catalog.named(null, "leaf")).containsExactlyInAnyOrder(LEAF, OTHER);
        assertThat(catalog.named("other", "leaf")).containsExactly(OTHER);
        assertThat(catalog.named("other", "parent")).isEmpty();
    }
}
