package dev.pgproxy.health.catalog;

/**
 * The query behind {@link CatalogLoader#fingerprint}: for each catalog the number of its rows and the sum of hashes of
 * each row's OID and xmin, which every change of a row renews. Temporary relations do not count. Immutable.
 */
final class CatalogFingerprint {
    static final String QUERY = "WITH temporary AS MATERIALIZED (SELECT oid FROM pg_class WHERE relpersistence = 't') "
            + String.join(
                    " UNION ALL ",
                    sum("pg_class", "oid", " WHERE relpersistence <> 't'"),
                    sum(
                            "pg_attribute",
                            "attrelid::bigint * 1600 + attnum",
                            ofLasting("attrelid") + " AND attrelid >= 16384 AND attnum > 0"),
                    sum("pg_attrdef", "oid", ofLasting("adrelid")),
                    sum("pg_constraint", "oid", ofLasting("conrelid")),
                    sum("pg_index", "indexrelid", ofLasting("indrelid")),
                    sum("pg_inherits", "inhrelid::bigint * 3 + inhparent::bigint", ofLasting("inhrelid")),
                    sum("pg_trigger", "oid", ofLasting("tgrelid")),
                    sum("pg_subscription_rel", "srrelid", ""),
                    sum("pg_type", "oid", " WHERE typtype <> 'c' AND oid >= 16384"),
                    sum("pg_proc", "oid", ""),
                    sum("pg_rewrite", "oid", ""),
                    sum("pg_policy", "oid", ""),
                    sum("pg_operator", "oid", " WHERE oid >= 16384"),
                    sum("pg_aggregate", "aggfnoid::oid", " WHERE aggfnoid::oid >= 16384"),
                    sum("pg_cast", "oid", ""),
                    sum("pg_enum", "oid", ""),
                    sum("pg_language", "oid", ""),
                    sum("pg_collation", "oid", " WHERE oid >= 16384"),
                    sum("pg_namespace", "oid", " WHERE nspname NOT LIKE 'pg\\_%temp\\_%'"),
                    sum("pg_foreign_server", "oid", ""),
                    sum("pg_db_role_setting", "setdatabase::bigint * 2 + setrole::bigint", ""),
                    sum("pg_auth_members", "roleid::bigint * 3 + member::bigint", ""),
                    // decides whether the triggers of pgproxy tell anything
                    "SELECT current_setting('max_prepared_transactions')",
                    "SELECT count(*) || ':' || coalesce(sum(hashtextextended(r::text, 0)), 0) FROM (SELECT oid, rolname, rolsuper,"
                            + " rolinherit, rolbypassrls, rolcanlogin FROM pg_roles) r");

    private CatalogFingerprint() {}

    private static String sum(String catalog, String key, String where) {
        return "SELECT count(*) || ':' || coalesce(sum(hashint8extended((" + key
                + ")::bigint, xmin::text::bigint)), 0) FROM " + catalog + where;
    }

    private static String ofLasting(String column) {
        return " WHERE " + column + " NOT IN (SELECT oid FROM temporary)";
    }
}
