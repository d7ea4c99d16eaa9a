package dev.pgproxy.routing.catalog;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.pgproxy.protocol.sql.SqlScanner;
import dev.pgproxy.protocol.sql.SqlText;
import dev.pgproxy.protocol.sql.TokenType;
import java.util.ArrayList;
import java.util.List;

/**
 * The schemas in which a bare name is looked for, as SHOW search_path would list them with {@code $user} replaced;
 * pg_catalog comes first unless it is named. Immutable.
 */
public record SearchPath(List<String> schemas) {
    /** Not known: a bare name means every relation, function or type of that name in any schema. */
    public static final SearchPath ANY = new SearchPath(List.of());

    public SearchPath {
        schemas = List.copyOf(schemas);
    }

    /** The value of a setting search_path; {@link #ANY} if {@code $user} is in it, or it is not a list of names. */
    static SearchPath parse(String value) {
        List<String> schemas = new ArrayList<>();
        byte[] text = value.getBytes(UTF_8);
        SqlScanner scanner = new SqlScanner();
        scanner.reset(text, 0, text.length, true);
        for (int type = scanner.next(); type != TokenType.END; type = scanner.next()) {
            boolean identifier = type == TokenType.WORD || type == TokenType.QUOTED;
            String schema = identifier ? SqlText.decodeIdentifier(text, scanner.start(), scanner.end()) : null;
            if (schema == null || schema.equals("$user")) {
                return ANY;
            }
            schemas.add(schema);
            int separator = scanner.next();
            if (separator != ',' && separator != TokenType.END) {
                return ANY;
            }
        }
        return new SearchPath(schemas);
    }
}
