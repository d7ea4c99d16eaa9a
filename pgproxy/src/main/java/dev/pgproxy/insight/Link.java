package dev.pgproxy.insight;

import dev.pgproxy.routing.catalog.Catalog;
import dev.pgproxy.routing.catalog.CatalogRows.ForeignKeyRow;
import dev.pgproxy.routing.sql.Name;
import dev.pgproxy.routing.sql.StatementShape;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How a read may get its values from the rows of another. Immutable.
 *
 * @param column of the read that is compared with the value; null if it is not known which
 * @param parentColumn of the other that gives the value; null if it is not known which
 */
record Link(By by, @Nullable String column, @Nullable String parentColumn) {
    static final Link NONE = new Link(By.NOTHING, null, null);

    /** How it is known; what is better comes later. */
    enum By {
        /** Order alone. */
        NOTHING("order"),
        /** They read the same table. */
        TABLE("same table"),
        /** A column is called like the other table. */
        NAME("column name"),
        FOREIGN_KEY("foreign key");

        private final String words;

        By(String words) {
            this.words = words;
        }

        @Override
        public String toString() {
            return words;
        }
    }

    boolean isBetterThan(Link other) {
        return by.compareTo(other.by) > 0;
    }

    /** The best there is; the catalog may be missing. */
    static Link of(Statement read, Statement parent, @Nullable Catalog catalog) {
        StatementShape reads = read.facts();
        StatementShape gives = parent.facts();
        if (reads == null
                || gives == null
                || reads.relations().isEmpty()
                || gives.relations().isEmpty()) {
            return NONE;
        }
        Link link = catalog == null ? null : byForeignKey(read, reads, gives, catalog);
        link = link == null ? byName(read, reads, gives) : link;
        if (link != null) {
            return link;
        }
        Set<Name> both = new HashSet<>(reads.relations());
        both.retainAll(gives.relations());
        return both.isEmpty() ? NONE : new Link(By.TABLE, null, null);
    }

    private static @Nullable Link byForeignKey(
            Statement read, StatementShape reads, StatementShape gives, Catalog catalog) {
        Set<Integer> own = relations(reads, catalog);
        Set<Integer> others = relations(gives, catalog);
        for (int oid : own) {
            for (ForeignKeyRow key : catalog.foreignKeys(oid)) {
                if (others.contains(key.referenced())) {
                    Link link = through(read, key.columns(), key.referencedColumns());
                    if (link != null) {
                        return link;
                    }
                }
            }
        }
        for (int oid : others) {
            for (ForeignKeyRow key : catalog.foreignKeys(oid)) {
                if (own.contains(key.referenced())) {
                    Link link = through(read, key.referencedColumns(), key.columns());
                    if (link != null) {
                        return link;
                    }
                }
            }
        }
        return null;
    }

    private static Set<Integer> relations(StatementShape of, Catalog catalog) {
        Set<Integer> found = new HashSet<>();
        for (Name name : of.relations()) {
            Collection<Integer> named = catalog.named(name.schema(), name.name());
            found.addAll(named);
        }
        return found;
    }

    private static @Nullable Link through(Statement read, List<String> columns, List<String> parentColumns) {
        for (int i = 0; i < columns.size(); i++) {
            if (read.keys().contains(columns.get(i))) {
                return new Link(By.FOREIGN_KEY, columns.get(i), parentColumns.get(i));
            }
        }
        return null;
    }

    /** {@code post_id} or {@code postId} of posts; or {@code id} where the parent has {@code customer_id} of customers. */
    private static @Nullable Link byName(Statement read, StatementShape reads, StatementShape gives) {
        for (String column : read.keys()) {
            String plain = plain(column);
            for (Name parent : gives.relations()) {
                if (references(plain, parent)) {
                    return new Link(By.NAME, column, null);
                }
            }
            for (Name own : reads.relations()) {
                boolean key = plain.equals("id") || references(plain, own);
                for (String word : key ? gives.words() : Set.<String>of()) {
                    if (references(plain(word), own) && !gives.relations().contains(own)) {
                        return new Link(By.NAME, column, word);
                    }
                }
            }
        }
        return null;
    }

    private static boolean references(String column, Name table) {
        for (String one : singular(plain(table.name()))) {
            if (column.equals(one + "id")) {
                return true;
            }
        }
        return false;
    }

    private static List<String> singular(String table) {
        List<String> names = new ArrayList<>(List.of(table));
        if (table.endsWith("ies")) {
            names.add(table.substring(0, table.length() - 3) + "y");
        }
        if (table.endsWith("es")) {
            names.add(table.substring(0, table.length() - 2));
        }
        if (table.endsWith("s")) {
            names.add(table.substring(0, table.length() - 1));
        }
        return names;
    }

    private static String plain(String name) {
        return name.toLowerCase(Locale.ROOT).replace("_", "");
    }
}
