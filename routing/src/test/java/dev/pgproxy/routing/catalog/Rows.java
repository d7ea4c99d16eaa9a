package dev.pgproxy.routing.catalog;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.protocol.sql.SqlAnalyzer;
import dev.pgproxy.protocol.sql.StatementKind;
import dev.pgproxy.routing.catalog.CatalogRows.CastRow;
import dev.pgproxy.routing.catalog.CatalogRows.DefinitionKind;
import dev.pgproxy.routing.catalog.CatalogRows.DefinitionRow;
import dev.pgproxy.routing.catalog.CatalogRows.DomainCheckRow;
import dev.pgproxy.routing.catalog.CatalogRows.ForeignKeyRow;
import dev.pgproxy.routing.catalog.CatalogRows.FunctionRow;
import dev.pgproxy.routing.catalog.CatalogRows.InheritanceRow;
import dev.pgproxy.routing.catalog.CatalogRows.OperatorRow;
import dev.pgproxy.routing.catalog.CatalogRows.RelationRow;
import dev.pgproxy.routing.catalog.CatalogRows.SequenceRow;
import dev.pgproxy.routing.catalog.CatalogRows.TriggerRow;
import dev.pgproxy.routing.catalog.CatalogRows.TypeRow;
import dev.pgproxy.routing.sql.Name;
import dev.pgproxy.routing.sql.ShapeReader;
import dev.pgproxy.routing.sql.StatementShape;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** Rows of a small database, written by hand; relations and functions are in schema public. Confined to its test. */
final class Rows {
    static final SearchPath PUBLIC = new SearchPath(List.of("public"));

    final List<RelationRow> relations = new ArrayList<>();
    final List<InheritanceRow> inheritance = new ArrayList<>();
    final List<ForeignKeyRow> foreignKeys = new ArrayList<>();
    final List<TriggerRow> triggers = new ArrayList<>();
    final List<DefinitionRow> definitions = new ArrayList<>();
    final List<SequenceRow> sequences = new ArrayList<>();
    final List<FunctionRow> functions = new ArrayList<>();
    final List<OperatorRow> operators = new ArrayList<>();
    final List<CastRow> casts = new ArrayList<>();
    final List<TypeRow> types = new ArrayList<>();
    final List<DomainCheckRow> checks = new ArrayList<>();
    private int oid = 20_000;

    Catalog catalog() {
        return Catalog.of(
                new CatalogRows(
                        relations,
                        inheritance,
                        foreignKeys,
                        triggers,
                        definitions,
                        sequences,
                        functions,
                        operators,
                        casts,
                        types,
                        checks),
                1);
    }

    int table(String name) {
        return relation("public", name, 'r', 'p', false);
    }

    int relation(String schema, String name, char kind, char persistence, boolean rowSecurity) {
        relations.add(new RelationRow(++oid, schema, name, kind, persistence, rowSecurity, false, false));
        return oid;
    }

    int view(String name, String tree) {
        int view = relation("public", name, 'v', 'p', false);
        definitions.add(new DefinitionRow(view, DefinitionKind.VIEW, tree));
        return view;
    }

    int function(String name, char volatility, String language, String body) {
        return function("public", name, volatility, language, body, false);
    }

    int function(String schema, String name, char volatility, String language, String body, boolean attribute) {
        functions.add(
                new FunctionRow(++oid, schema, name, 'f', volatility, language, body, "", attribute, null, List.of()));
        return oid;
    }

    /** One of PostgreSQL's own. */
    void builtIn(int builtInOid, String name, char volatility) {
        functions.add(new FunctionRow(
                builtInOid, "pg_catalog", name, 'f', volatility, "internal", "", "", false, null, List.of()));
    }

    static String readsTree(int relation) {
        return "({QUERY :commandType 1 :rtable ({RANGETBLENTRY :alias <> :rtekind 0 :relid "
                + Integer.toUnsignedString(relation) + " :inh true})})";
    }

    static String callsTree(int function) {
        return "{FUNCEXPR :funcid " + Integer.toUnsignedString(function) + " :funcresulttype 23 :args <>}";
    }

    static StatementShape select(String... relations) {
        return shape(StatementKind.SELECT, 0, true, names(relations), Set.of(), Set.of());
    }

    static StatementShape calls(String... functions) {
        return shape(StatementKind.SELECT, 0, true, Set.of(), Set.of(), names(functions));
    }

    /** What the reader makes of a text. */
    static StatementShape read(String sql) {
        byte[] text = sql.getBytes(UTF_8);
        QueryFacts facts = new SqlAnalyzer().analyze(Unpooled.wrappedBuffer(text), 0, text.length, true, false);
        return new ShapeReader().read(text, facts, true);
    }

    static StatementShape shape(
            StatementKind kind,
            int flags,
            boolean understood,
            Set<Name> relations,
            Set<Name> written,
            Set<Name> functions) {
        return new StatementShape(
                kind, flags, understood, relations, relations, written, functions, Set.of(), Set.of());
    }

    static Set<Name> names(String... names) {
        return Arrays.stream(names)
                .map(name -> {
                    int dot = name.indexOf('.');
                    return new Name(dot < 0 ? null : name.substring(0, dot), name.substring(dot + 1));
                })
                .collect(Collectors.toSet());
    }
}
