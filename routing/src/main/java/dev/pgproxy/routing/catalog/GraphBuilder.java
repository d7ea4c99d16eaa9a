package dev.pgproxy.routing.catalog;

import static dev.pgproxy.routing.catalog.Graph.node;

import dev.pgproxy.routing.catalog.CatalogRows.CastRow;
import dev.pgproxy.routing.catalog.CatalogRows.DefinitionKind;
import dev.pgproxy.routing.catalog.CatalogRows.DefinitionRow;
import dev.pgproxy.routing.catalog.CatalogRows.DomainCheckRow;
import dev.pgproxy.routing.catalog.CatalogRows.FunctionRow;
import dev.pgproxy.routing.catalog.CatalogRows.OperatorRow;
import dev.pgproxy.routing.catalog.CatalogRows.RelationRow;
import dev.pgproxy.routing.catalog.CatalogRows.TypeRow;
import dev.pgproxy.routing.catalog.Graph.Act;
import dev.pgproxy.routing.sql.Name;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Makes the {@link Graph} of a database from its rows. Confined to its thread. */
final class GraphBuilder {
    /** Operators that sorting and grouping use by operator classes, in whatever schema they are. */
    private static final Set<String> IMPLICIT_OPERATORS = Set.of("=", "<>", "<", "<=", ">", ">=");

    /** Operators that words stand for: LIKE, ILIKE, SIMILAR TO. */
    private static final List<String> WORDED_OPERATORS = List.of("~~", "!~~", "~~*", "!~~*", "~", "!~");

    /** The grammar's words for types, by their names in pg_type. */
    private static final Map<String, List<String>> ALIASES = Map.of(
            "int2", List.of("smallint"),
            "int4", List.of("int", "integer"),
            "int8", List.of("bigint"),
            "bool", List.of("boolean"),
            "float4", List.of("real"),
            "float8", List.of("float", "double"),
            "numeric", List.of("decimal", "dec"),
            "varchar", List.of("char", "character", "nchar"),
            "bpchar", List.of("char", "character", "nchar"),
            "timestamptz", List.of("timestamp"));

    private static final SearchPath SYSTEM_PATH = new SearchPath(List.of("pg_catalog", "information_schema"));

    /** pg_proc.dat: nextval(regclass). */
    private static final int NEXTVAL = 1574;

    final Graph graph = new Graph();
    final Names<Integer> relationNames = new Names<>();
    final Names<Integer> functionNames = new Names<>();

    /** What using an operator calls, those outside pg_catalog. */
    private final Names<Long> operators = new Names<>();

    /** What a word can do by the types that it names. */
    final Map<String, Set<Long>> types = new HashMap<>();

    /** What a word can call in attribute notation. */
    final Map<String, Set<Long>> attributes = new HashMap<>();

    /** What any statement can call without naming it. */
    final Set<Long> implicit = new LinkedHashSet<>();

    private final CatalogRows rows;
    private final Map<Integer, RelationRow> relations = new HashMap<>();
    private final Map<Integer, Integer> operatorFunctions = new HashMap<>();
    private final Inheritance inheritance;

    GraphBuilder(CatalogRows rows) {
        this.rows = rows;
        inheritance = new Inheritance(rows.inheritance());
        for (RelationRow relation : rows.relations()) {
            relations.put(relation.oid(), relation);
            relationNames.add(relation.schema(), relation.name(), relation.oid());
        }
        rows.functions().forEach(function -> functionNames.add(function.schema(), function.name(), function.oid()));
        types();
        operators();
        rows.relations().forEach(this::relation);
        references();
        definitions();
        RelationSet sequences = RelationSet.of(rows.relations().stream()
                .filter(relation -> relation.kind() == 'S')
                .mapToInt(RelationRow::oid)
                .toArray());
        FunctionRules rules = new FunctionRules(sequences.size() > Graph.MOST_NAMED ? RelationSet.ALL : sequences);
        rows.functions().forEach(function -> function(function, rules));
        graph.close();
    }

    private void types() {
        for (TypeRow type : rows.types()) {
            long make = node(Act.MAKE, type.oid());
            if (!FunctionRules.isSystem(type.input())) {
                graph.edge(make, node(Act.CALL, type.input()));
            }
            if (type.base() != 0) {
                graph.edge(make, node(Act.MAKE, type.base()));
            }
        }
        for (DomainCheckRow check : rows.domainChecks()) {
            tree(new NodeTree(check.tree()), node(Act.MAKE, check.type()), false);
        }
        for (TypeRow type : rows.types()) {
            long make = node(Act.MAKE, type.oid());
            if (graph.hasEdges(make)) {
                add(types, type.name(), make);
            } else if (type.schema().equals("pg_catalog") && type.name().startsWith("reg")) {
                graph.put(make, FunctionRules.readsDefinitions(type.name()));
                add(types, type.name(), make);
            }
        }
        for (CastRow cast : rows.casts()) {
            long call = node(Act.CALL, cast.function());
            add(types, cast.target(), call);
            ALIASES.getOrDefault(cast.target(), List.of()).forEach(alias -> add(types, alias, call));
            if (cast.implicit()) {
                implicit.add(call);
            }
        }
    }

    private void operators() {
        for (OperatorRow operator : rows.operators()) {
            long call = node(Act.CALL, operator.function());
            operatorFunctions.put(operator.oid(), operator.function());
            operators.add(operator.schema(), operator.name(), call);
            if (IMPLICIT_OPERATORS.contains(operator.name())) {
                implicit.add(call);
            }
        }
        for (FunctionRow function : rows.functions()) {
            if (function.attribute()) {
                add(attributes, function.name(), node(Act.CALL, function.oid()));
            }
        }
    }

    /** As pg_operator has it. */
    static Name operator(Name written) {
        return written.name().equals("!=") ? new Name(written.schema(), "<>") : written;
    }

    private static void add(Map<String, Set<Long>> nodes, String name, long node) {
        nodes.computeIfAbsent(name, ignored -> new LinkedHashSet<>()).add(node);
    }

    private void relation(RelationRow relation) {
        int oid = relation.oid();
        long read = node(Act.READ, oid);
        long write = node(Act.WRITE, oid);
        long truncate = node(Act.TRUNCATE, oid);
        graph.edge(truncate, write);
        if (FunctionRules.isSystem(oid)) {
            graph.put(read, Reading.of(CacheFacts.hindered(CacheHindrance.DEFINITIONS, relation.name())));
        }
        if (relation.zonedTimes()) {
            // compared with a time, or AT TIME ZONE, such a value takes the offset that holds today
            graph.put(read, Reading.of(CacheFacts.hindered(CacheHindrance.MOMENT, relation.name())));
        }
        if (relation.kind() == 'v') {
            return;
        }
        graph.put(read, reading(relation));
        RelationSet touched = RelationSet.of(oid);
        for (int ancestor : inheritance.ancestors(oid)) {
            touched = touched.with(RelationSet.of(ancestor));
        }
        graph.put(write, Reading.NOTHING.withWrites(touched));
        for (int child : inheritance.children(oid)) {
            graph.edge(read, node(Act.READ, child));
            graph.edge(write, node(Act.WRITE, child));
            graph.edge(truncate, node(Act.TRUNCATE, child));
        }
    }

    private static Reading reading(RelationRow relation) {
        RelationSet self = RelationSet.of(relation.oid());
        Hindrance hindrance = switch (relation.persistence()) {
            case 't' -> Hindrance.TEMPORARY_RELATION;
            case 'u' -> Hindrance.UNLOGGED_RELATION;
            default ->
                switch (relation.kind()) {
                    case 'f' -> Hindrance.FOREIGN_TABLE;
                    // WAL runs up to 32 values ahead of what the sequence has given out (SEQ_LOG_VALS)
                    case 'S' -> Hindrance.SESSION_STATE;
                    default -> null;
                };
        };
        String culprit = hindrance == null ? null : relation.name();
        return new Reading(self, RelationSet.NONE, hindrance, culprit, false, CacheFacts.FREE);
    }

    /** Foreign keys, triggers and sequences: what a write to one relation does to another. */
    private void references() {
        rows.foreignKeys().forEach(key -> {
            Set<Integer> referenced = new HashSet<>(inheritance.descendants(key.referenced()));
            referenced.add(key.referenced());
            boolean acts = "cnd".indexOf(key.onDelete()) >= 0 || "cnd".indexOf(key.onUpdate()) >= 0;
            for (int oid : referenced) {
                graph.edge(node(Act.TRUNCATE, oid), node(Act.TRUNCATE, key.referencing()));
                if (acts) {
                    graph.edge(node(Act.WRITE, oid), node(Act.WRITE, key.referencing()));
                }
            }
        });
        rows.triggers().forEach(trigger -> {
            long write = node(Act.WRITE, trigger.relation());
            graph.edge(write, node(Act.CALL, trigger.function()));
            if (trigger.condition() != null) {
                tree(new NodeTree(trigger.condition()), write, false);
            }
        });
        rows.sequences().forEach(row -> graph.edge(node(Act.WRITE, row.relation()), node(Act.WRITE, row.sequence())));
    }

    private void definitions() {
        for (DefinitionRow row : rows.definitions()) {
            RelationRow relation = relations.get(row.relation());
            if (relation == null) {
                continue;
            }
            NodeTree tree = new NodeTree(row.tree());
            tree.relations.remove(row.relation());
            long read = node(Act.READ, row.relation());
            long write = node(Act.WRITE, row.relation());
            boolean policy = row.kind() == DefinitionKind.POLICY;
            if (policy && !relation.rowSecurity()) {
                continue;
            }
            boolean view = row.kind() == DefinitionKind.VIEW && relation.kind() == 'v';
            if (view || policy) {
                tree(tree, read, false);
            }
            tree(tree, write, view || row.kind() == DefinitionKind.RULE);
            if (tree.advancesKnownSequence && row.kind() != DefinitionKind.EXPRESSION) {
                graph.edge(read, node(Act.CALL, NEXTVAL));
                graph.edge(write, node(Act.CALL, NEXTVAL));
            }
        }
    }

    /** What a tree does where the act is done; what it names as relations may be written too. */
    private void tree(NodeTree tree, long from, boolean writes) {
        for (int relation : tree.relations) {
            graph.edge(from, node(Act.READ, relation));
            if (writes) {
                graph.edge(from, node(Act.WRITE, relation));
            }
        }
        tree.functions.forEach(function -> graph.edge(from, node(Act.CALL, function)));
        for (int operator : tree.operators) {
            Integer function = operatorFunctions.get(operator);
            if (function != null) {
                graph.edge(from, node(Act.CALL, function));
            }
        }
        tree.types.forEach(type -> graph.edge(from, node(Act.MAKE, type)));
        if (tree.locksRows) {
            graph.put(from, Reading.hindered(Hindrance.ROW_LOCK, "FOR UPDATE"));
        }
        if (tree.transactionBound) {
            graph.put(from, Reading.ofTransactionTime(null));
        }
        if (tree.namesTransientColumn) {
            graph.put(from, Reading.of(CacheFacts.hindered(CacheHindrance.SESSION, "xmax")));
        }
        if (tree.dependsOnSettings) {
            graph.put(from, Reading.of(new CacheFacts(null, null, true)));
        }
    }

    private void function(FunctionRow function, FunctionRules rules) {
        long call = node(Act.CALL, function.oid());
        graph.put(call, rules.of(function));
        function.parts().forEach(part -> graph.edge(call, node(Act.CALL, part)));
        boolean writes = function.volatility() == 'v';
        if (!function.tree().isEmpty()) {
            NodeTree tree = new NodeTree(function.tree());
            tree(tree, call, writes);
            if (tree.advancesKnownSequence) {
                graph.edge(call, node(Act.CALL, NEXTVAL));
            }
        }
        if (FunctionRules.isReadable(function) && !function.body().isEmpty()) {
            body(function, call, writes);
        }
    }

    private void body(FunctionRow function, long call, boolean writes) {
        BodyText body = new BodyText(function.body());
        SearchPath path = body.setsSearchPath ? SearchPath.ANY : pathOf(function);
        for (Name name : body.relations) {
            for (int relation : relationNames.first(name, path)) {
                graph.edge(call, node(Act.READ, relation));
                if (writes) {
                    graph.edge(call, node(body.truncates ? Act.TRUNCATE : Act.WRITE, relation));
                }
            }
        }
        for (Name name : body.functions) {
            functionNames.all(name, path).forEach(called -> graph.edge(call, node(Act.CALL, called)));
        }
        WORDED_OPERATORS.forEach(operator -> body.operators.add(new Name(null, operator)));
        for (Name operator : body.operators) {
            operators.all(operator(operator), path).forEach(node -> graph.edge(call, node));
        }
        for (String word : body.words) {
            types.getOrDefault(word, Set.of()).forEach(node -> graph.edge(call, node));
            attributes.getOrDefault(word, Set.of()).forEach(node -> graph.edge(call, node));
            Reading special = SpecialWords.READINGS.get(word);
            if (special != null) {
                graph.put(call, special);
            }
        }
        RelationSet reads = body.dynamic ? RelationSet.ALL : RelationSet.NONE;
        RelationSet touched = writes && (body.dynamic || body.defines) ? RelationSet.ALL : RelationSet.NONE;
        String name = function.name();
        if (body.transactionBound) {
            graph.put(call, Reading.ofTransactionTime(name));
        }
        CacheFacts caching = body.dynamic ? CacheFacts.hindered(CacheHindrance.UNKNOWN, name) : CacheFacts.FREE;
        graph.put(call, new Reading(reads, touched, null, null, body.dynamic, caching));
    }

    /** What it says itself, if that does not depend on who calls it; names may be anywhere otherwise. */
    private static SearchPath pathOf(FunctionRow function) {
        if (FunctionRules.isSystem(function.oid())) {
            return SYSTEM_PATH;
        }
        String value = function.searchPath();
        return value == null ? SearchPath.ANY : SearchPath.parse(value);
    }
}
