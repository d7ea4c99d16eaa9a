package dev.pgproxy.testing;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;

/** All definitions of a database, as the catalogs print them, but for Flyway's own table. Immutable. */
public record SchemaSnapshot(List<String> definitions) {
    private static final String QUERY = """
            WITH ours AS (SELECT n.nspname || '.' || c.relname AS name, c.* FROM pg_class c
              JOIN pg_namespace n ON n.oid = c.relnamespace
              WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND relname NOT LIKE 'flyway%%')
            SELECT concat_ws(' ', 'relation', name, relkind, relpersistence, obj_description(oid)) FROM ours
            UNION ALL SELECT concat_ws(' ', 'column', name, attname, format_type(atttypid, atttypmod), attnotnull,
                attidentity, attgenerated, pg_get_expr(adbin, adrelid), col_description(attrelid, attnum))
              FROM ours JOIN pg_attribute a ON attrelid = oid AND attnum > 0 AND NOT attisdropped
              LEFT JOIN pg_attrdef d ON adrelid = attrelid AND adnum = attnum
            UNION ALL SELECT concat_ws(' ', 'constraint', name, conname, pg_get_constraintdef(k.oid))
              FROM ours JOIN pg_constraint k ON conrelid = ours.oid WHERE contype <> 'n'
            UNION ALL SELECT concat_ws(' ', 'index', pg_get_indexdef(indexrelid), indisvalid)
              FROM ours JOIN pg_index ON indrelid = oid
            UNION ALL SELECT concat_ws(' ', 'view', name, pg_get_viewdef(oid)) FROM ours WHERE relkind IN ('v', 'm')
            UNION ALL SELECT concat_ws(' ', 'trigger', pg_get_triggerdef(t.oid))
              FROM ours JOIN pg_trigger t ON tgrelid = ours.oid WHERE NOT tgisinternal
            UNION ALL SELECT concat_ws(' ', 'type', typnamespace::regnamespace, typname, typtype,
                (SELECT string_agg(enumlabel, ',' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid))
              FROM pg_type t WHERE typtype IN ('e', 'd', 'r') AND typnamespace::regnamespace::text NOT IN
                ('pg_catalog', 'information_schema')
            UNION ALL SELECT 'schema ' || nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg_%'
            UNION ALL SELECT 'extension ' || extname FROM pg_extension
            ORDER BY 1
            """.replace("%%", "%");

    /** As they are now. */
    public static SchemaSnapshot of(Connection connection) throws SQLException {
        List<String> definitions = new ArrayList<>();
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(QUERY)) {
            while (rows.next()) {
                definitions.add(rows.getString(1));
            }
        }
        return new SchemaSnapshot(List.copyOf(definitions));
    }
}
