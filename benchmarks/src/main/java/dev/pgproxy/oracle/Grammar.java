package dev.pgproxy.oracle;

import dev.pgproxy.protocol.sql.StatementKind;
import dev.pgproxy.routing.sql.Name;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What PostgreSQL's tree of a text says: the kinds of its statements and what they name. Relations are RangeVars but
 * for those that mean a common table expression in scope (parse_relation.c, parse_cte.c). Confined to its thread.
 */
final class Grammar {
    /** Statements whose relations are compared: all else never leaves the primary. */
    private static final Set<String> QUERIES = Set.of(
            "SelectStmt",
            "InsertStmt",
            "UpdateStmt",
            "DeleteStmt",
            "MergeStmt",
            "CopyStmt",
            "ExplainStmt",
            "PrepareStmt",
            "DeclareCursorStmt");

    /** What the grammar makes of LIKE … ESCAPE and SIMILAR TO. */
    private static final Set<String> OWN_FUNCTIONS = Set.of("like_escape", "similar_to_escape");

    private static final Set<String> WRITES = Set.of("InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt");

    /** Where a RangeVar is no relation that is read or written. */
    private static final Set<String> OTHER_NAMES = Set.of("lockedRels", "into", "intoClause");

    final Set<Name> relations = new HashSet<>();
    final Set<Name> written = new HashSet<>();
    final Set<Name> functions = new HashSet<>();
    final Set<String> operators = new HashSet<>();
    final Set<String> types = new HashSet<>();
    boolean changes;
    boolean locksRows;
    boolean selectsInto;
    boolean executes = true;
    boolean onlyQueries = true;
    int statements;
    StatementKind kind = StatementKind.EMPTY;

    private Grammar() {}

    /** Reads libpg_query's JSON. */
    static Grammar of(String tree) {
        Grammar grammar = new Grammar();
        Map<?, ?> root = (Map<?, ?>) Json.read(tree);
        for (Object raw : list(root.get("stmts"))) {
            Object statement = ((Map<?, ?>) raw).get("stmt");
            if (statement instanceof Map<?, ?> node) {
                Map.Entry<?, ?> only = node.entrySet().iterator().next();
                grammar.statement((String) only.getKey(), (Map<?, ?>) only.getValue());
            }
        }
        return grammar;
    }

    private void statement(String type, Map<?, ?> node) {
        statements++;
        kind = statements > 1 ? StatementKind.MULTIPLE : kind(type, node);
        onlyQueries &= QUERIES.contains(type);
        executes &= !type.equals("PrepareStmt");
        executes &= !type.equals("ExplainStmt")
                || String.valueOf(node.get("options")).contains("defname=analyze");
        if (type.equals("CopyStmt") && node.containsKey("is_from")) {
            changes = true;
            add(written, node.get("relation"));
        }
        if (QUERIES.contains(type)) {
            node(type, node, Set.of());
        }
    }

    private void node(String type, Map<?, ?> node, Set<String> outerScope) {
        Set<String> scope = withScope(node, outerScope);
        if (WRITES.contains(type)) {
            changes = true;
            add(written, node.get("relation"));
        }
        locksRows |= node.containsKey("lockingClause");
        selectsInto |= node.containsKey("intoClause");
        names(type, node);
        for (Map.Entry<?, ?> entry : node.entrySet()) {
            String key = (String) entry.getKey();
            boolean target = WRITES.contains(type) && key.equals("relation");
            if (target) {
                add(relations, entry.getValue());
            } else if (!key.equals("withClause") && !OTHER_NAMES.contains(key)) {
                value(key, entry.getValue(), scope);
            }
        }
    }

    private void value(String key, Object value, Set<String> scope) {
        if (value instanceof List<?> items) {
            items.forEach(item -> value(key, item, scope));
        } else if (value instanceof Map<?, ?> map) {
            Map.Entry<?, ?> first =
                    map.isEmpty() ? null : map.entrySet().iterator().next();
            if (map.containsKey("relname")) {
                relation(map, scope);
            } else if (first != null && map.size() == 1 && Character.isUpperCase(((String) first.getKey()).charAt(0))) {
                if (first.getValue() instanceof Map<?, ?> inner) {
                    if (inner.containsKey("relname")) {
                        relation(inner, scope);
                    } else {
                        node((String) first.getKey(), inner, scope);
                    }
                }
            } else {
                node(key, map, scope);
            }
        }
    }

    private void relation(Map<?, ?> rangeVar, Set<String> scope) {
        boolean bare = !rangeVar.containsKey("schemaname");
        if (!bare || !scope.contains(String.valueOf(rangeVar.get("relname")))) {
            add(relations, rangeVar);
        }
    }

    /** Walks the common table expressions of a node; the scope behind them. */
    private Set<String> withScope(Map<?, ?> node, Set<String> outer) {
        if (!(node.get("withClause") instanceof Map<?, ?> with)) {
            return outer;
        }
        Set<String> scope = new HashSet<>(outer);
        boolean recursive = with.containsKey("recursive");
        List<?> expressions = list(with.get("ctes"));
        if (recursive) {
            expressions.forEach(expression -> scope.add(name(expression)));
        }
        for (Object expression : expressions) {
            for (Map.Entry<?, ?> entry : inner(expression, "CommonTableExpr").entrySet()) {
                value((String) entry.getKey(), entry.getValue(), Set.copyOf(scope));
            }
            scope.add(name(expression));
        }
        return scope;
    }

    private static String name(Object cte) {
        return String.valueOf(inner(cte, "CommonTableExpr").get("ctename"));
    }

    private void names(String type, Map<?, ?> node) {
        switch (type) {
            case "FuncCall" -> {
                if (Objects.equals(node.get("funcformat"), "COERCE_EXPLICIT_CALL")) {
                    List<String> parts = strings(node.get("funcname"));
                    if (!OWN_FUNCTIONS.contains(parts.getLast())) {
                        functions.add(new Name(parts.size() > 1 ? parts.get(parts.size() - 2) : null, parts.getLast()));
                    }
                }
            }
            case "A_Expr" -> {
                if (Set.of("AEXPR_OP", "AEXPR_OP_ANY", "AEXPR_OP_ALL").contains(String.valueOf(node.get("kind")))) {
                    operators.add(strings(node.get("name")).getLast());
                }
            }
            case "TypeName", "typeName" -> {
                List<String> parts = strings(node.get("names"));
                // what the grammar itself writes for its own type names
                if (!parts.isEmpty() && !parts.getFirst().equals("pg_catalog")) {
                    types.add(parts.getLast());
                }
            }
            default -> {}
        }
    }

    private static List<String> strings(@Nullable Object names) {
        return list(names).stream()
                .map(name -> inner(name, "String").get("sval"))
                .map(name -> name == null ? "" : name.toString())
                .toList();
    }

    private static void add(Set<Name> names, @Nullable Object rangeVar) {
        if (rangeVar instanceof Map<?, ?> map) {
            Object schema = map.get("schemaname");
            names.add(new Name(schema == null ? null : schema.toString(), String.valueOf(map.get("relname"))));
        }
    }

    /** The node in a node. */
    private static Map<?, ?> inner(@Nullable Object node, String type) {
        return node instanceof Map<?, ?> map && map.get(type) instanceof Map<?, ?> inner ? inner : Map.of();
    }

    private static List<?> list(@Nullable Object value) {
        return value instanceof List<?> items ? items : List.of();
    }

    private static StatementKind kind(String type, Map<?, ?> node) {
        boolean is = switch (type) {
            case "CopyStmt" -> node.containsKey("is_from");
            case "FetchStmt" -> node.containsKey("ismove");
            case "GrantStmt", "GrantRoleStmt" -> node.containsKey("is_grant");
            case "VacuumStmt" -> node.containsKey("is_vacuumcmd");
            case "VariableSetStmt" -> String.valueOf(node.get("kind")).startsWith("VAR_RESET");
            default -> false;
        };
        return switch (type) {
            case "SelectStmt" -> StatementKind.SELECT;
            case "CopyStmt" -> is ? StatementKind.COPY_FROM : StatementKind.COPY_TO;
            case "FetchStmt" -> is ? StatementKind.MOVE : StatementKind.FETCH;
            case "GrantStmt", "GrantRoleStmt" -> is ? StatementKind.GRANT : StatementKind.REVOKE;
            case "VacuumStmt" -> is ? StatementKind.VACUUM : StatementKind.ANALYZE;
            case "VariableSetStmt" -> is ? StatementKind.RESET : StatementKind.SET;
            case "VariableShowStmt" -> StatementKind.SHOW;
            case "ConstraintsSetStmt" -> StatementKind.SET_CONSTRAINTS;
            case "TransactionStmt" -> transaction(String.valueOf(node.get("kind")));
            case "DeclareCursorStmt" -> StatementKind.DECLARE;
            case "ClosePortalStmt" -> StatementKind.CLOSE;
            case "CheckPointStmt" -> StatementKind.CHECKPOINT;
            case "RefreshMatViewStmt" -> StatementKind.REFRESH;
            case "SecLabelStmt" -> StatementKind.SECURITY_LABEL;
            case "ImportForeignSchemaStmt" -> StatementKind.IMPORT;
            case "ReassignOwnedStmt" -> StatementKind.REASSIGN;
            default -> byName(type);
        };
    }

    private static StatementKind transaction(String kind) {
        return switch (kind) {
            case "TRANS_STMT_BEGIN", "TRANS_STMT_START" -> StatementKind.BEGIN;
            case "TRANS_STMT_PREPARE" -> StatementKind.PREPARE_TRANSACTION;
            default -> StatementKind.valueOf(kind.substring("TRANS_STMT_".length()));
        };
    }

    /** InsertStmt is INSERT; where a definition's node has a name of its own, the first word decides nothing here. */
    private static StatementKind byName(String type) {
        for (StatementKind kind : StatementKind.values()) {
            if ((kind.name().replace("_", "") + "Stmt").equalsIgnoreCase(type)) {
                return kind;
            }
        }
        return StatementKind.OTHER;
    }
}
