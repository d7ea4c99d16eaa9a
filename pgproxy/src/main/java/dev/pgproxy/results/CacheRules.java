package dev.pgproxy.results;

import dev.pgproxy.config.CacheRule;
import dev.pgproxy.routing.catalog.Catalog;
import dev.pgproxy.routing.catalog.RelationSet;
import dev.pgproxy.routing.sql.Shape;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/** The rules of the configuration in their order; the first that fits a read decides. Immutable, but for what it counts. */
public final class CacheRules {
    /** None at all. */
    public static final CacheRules NONE = new CacheRules(List.of());

    /** Whose reads they are. Immutable. */
    public record Reader(String user, String database, String application) {}

    /** One rule, with its count. Thread-safe. */
    public static final class Rule {
        private final CacheRule says;
        private final LongAdder reads = new LongAdder();

        Rule(CacheRule says) {
            this.says = says;
        }

        /** As it is configured. */
        public CacheRule says() {
            return says;
        }

        /** It has decided about a read. */
        public void count() {
            reads.increment();
        }

        /** About how many it has. */
        public long reads() {
            return reads.sum();
        }

        private boolean fits(Shape shape, RelationSet read, Catalog catalog, Reader by) {
            return isOrAny(says.user(), by.user)
                    && isOrAny(says.database(), by.database)
                    && isOrAny(says.application(), by.application)
                    && (says.fingerprint() == null || says.fingerprint().equals(shape.fingerprint()))
                    && (says.table() == null || isIn(says.table(), read, catalog));
        }

        private static boolean isOrAny(@Nullable String asked, String is) {
            return asked == null || asked.equals(is);
        }

        private static boolean isIn(String table, RelationSet read, Catalog catalog) {
            Integer oid = catalog.oidOf(table);
            return oid != null && read.contains(oid);
        }
    }

    private final List<CacheRule> said;
    private final List<Rule> rules;

    CacheRules(List<CacheRule> said) {
        this.said = List.copyOf(said);
        this.rules = this.said.stream().map(Rule::new).toList();
    }

    List<CacheRule> said() {
        return said;
    }

    /** All of them. */
    public List<Rule> all() {
        return rules;
    }

    /** Whether there are none. */
    public boolean isEmpty() {
        return rules.isEmpty();
    }

    /** The rule that decides; null if none fits. */
    public @Nullable Rule first(Shape shape, RelationSet read, Catalog catalog, Reader by) {
        for (Rule rule : rules) {
            if (rule.fits(shape, read, catalog, by)) {
                return rule;
            }
        }
        return null;
    }
}
