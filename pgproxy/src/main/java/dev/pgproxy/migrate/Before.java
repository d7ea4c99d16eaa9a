package dev.pgproxy.migrate;

import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/** What a database held before a migration. Confined to the thread that runs the migration. */
interface Before {
    /** What may be there. */
    enum Kind {
        RELATION,
        SCHEMA,
        EXTENSION
    }

    /**
     * A column.
     *
     * @param expression its default as SQL; null if it has none
     * @param computed whether it is generated or an identity column
     * @param inherited whether its table is a partition, a child, or has some
     */
    record Column(boolean notNull, @Nullable String expression, boolean computed, boolean inherited) {}

    /** Whether it was there. */
    boolean has(Kind kind, Name name) throws SQLException;

    /** The column; null if it was not there. */
    @Nullable
    Column column(Name table, String column) throws SQLException;
}
