package dev.pgproxy.routing.catalog;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the system catalogs of one database say, as far as it matters for what statements read and touch: plain rows, of
 * one moment. A <i>tree</i> is a pg_node_tree in its text form, or several of them one behind the other. Immutable.
 *
 * @param relations tables, partitioned tables, views, materialized views, sequences, foreign tables; those of pg_catalog
 *     and information_schema too
 * @param inheritance from parents to children and from partitioned tables to partitions
 * @param foreignKeys all of them
 * @param triggers those that fire, without PostgreSQL's own for constraints
 * @param definitions the trees that belong to relations
 * @param sequences what the columns of tables count with
 * @param functions all of them
 * @param operators those outside pg_catalog
 * @param casts those that call a function outside pg_catalog
 * @param types all but the row types of relations and arrays
 * @param domainChecks the CHECK constraints of domains
 */
public record CatalogRows(
        List<RelationRow> relations,
        List<InheritanceRow> inheritance,
        List<ForeignKeyRow> foreignKeys,
        List<TriggerRow> triggers,
        List<DefinitionRow> definitions,
        List<SequenceRow> sequences,
        List<FunctionRow> functions,
        List<OperatorRow> operators,
        List<CastRow> casts,
        List<TypeRow> types,
        List<DomainCheckRow> domainChecks) {
    public CatalogRows {
        relations = List.copyOf(relations);
        inheritance = List.copyOf(inheritance);
        foreignKeys = List.copyOf(foreignKeys);
        triggers = List.copyOf(triggers);
        definitions = List.copyOf(definitions);
        sequences = List.copyOf(sequences);
        functions = List.copyOf(functions);
        operators = List.copyOf(operators);
        casts = List.copyOf(casts);
        types = List.copyOf(types);
        domainChecks = List.copyOf(domainChecks);
    }

    /**
     * A row of pg_class. Immutable.
     *
     * @param kind relkind: r table, p partitioned table, v view, m materialized view, S sequence, f foreign table
     * @param persistence relpersistence: p permanent, u unlogged, t temporary
     * @param rowSecurity whether its policies are in force
     * @param zonedTimes whether it has a column of type time with time zone, or an array or domain of that
     * @param notifies whether triggers of pgproxy tell of every statement that names it as its target
     */
    public record RelationRow(
            int oid,
            String schema,
            String name,
            char kind,
            char persistence,
            boolean rowSecurity,
            boolean zonedTimes,
            boolean notifies) {}

    /** A row of pg_inherits. Immutable. */
    public record InheritanceRow(int parent, int child) {}

    /**
     * A foreign key of pg_constraint. Immutable.
     *
     * @param onDelete confdeltype: a no action, r restrict, c cascade, n set null, d set default
     * @param onUpdate confupdtype, likewise
     * @param columns conkey, by name
     * @param referencedColumns confkey, by name
     */
    public record ForeignKeyRow(
            int referencing,
            int referenced,
            char onDelete,
            char onUpdate,
            List<String> columns,
            List<String> referencedColumns) {
        public ForeignKeyRow {
            columns = List.copyOf(columns);
            referencedColumns = List.copyOf(referencedColumns);
        }
    }

    /** A row of pg_trigger; its condition is a tree. Immutable. */
    public record TriggerRow(
            int relation, int function, @Nullable String condition) {}

    /** Trees that belong to a relation. Immutable. */
    public record DefinitionRow(int relation, DefinitionKind kind, String tree) {}

    /** When a tree is executed. Immutable. */
    public enum DefinitionKind {
        /** Where the view is read or written, the materialized view refreshed. */
        VIEW,
        /** Where the relation is written. */
        RULE,
        /** Where the relation is read or written, if its row security is on. */
        POLICY,
        /** Where the relation is written: defaults, generated columns, checks, expressions of indexes. */
        EXPRESSION
    }

    /** A sequence that a write to the relation may advance: by a serial or identity column, or a default. Immutable. */
    public record SequenceRow(int relation, int sequence) {}

    /**
     * A row of pg_proc. Immutable.
     *
     * @param kind prokind: f function, p procedure, a aggregate, w window function
     * @param volatility provolatile: i immutable, s stable, v volatile
     * @param body prosrc
     * @param tree the SQL-standard body and the defaults of arguments; empty if there are none
     * @param attribute whether it can be called as {@code value.name}, with one argument of a composite type
     * @param searchPath the value of search_path that it sets for itself; null if none
     * @param parts the functions that an aggregate consists of
     */
    public record FunctionRow(
            int oid,
            String schema,
            String name,
            char kind,
            char volatility,
            String language,
            String body,
            String tree,
            boolean attribute,
            @Nullable String searchPath,
            List<Integer> parts) {
        public FunctionRow {
            parts = List.copyOf(parts);
        }
    }

    /** A row of pg_operator. Immutable. */
    public record OperatorRow(int oid, String schema, String name, int function) {}

    /**
     * A row of pg_cast. Immutable.
     *
     * @param target the name of the type that comes out
     * @param implicit whether it can happen without being written
     */
    public record CastRow(String target, int function, boolean implicit) {}

    /**
     * A row of pg_type. Immutable.
     *
     * @param input the function that reads its values
     * @param base the type below a domain; else 0
     */
    public record TypeRow(int oid, String schema, String name, int input, int base) {}

    /** A CHECK of a domain. Immutable. */
    public record DomainCheckRow(int type, String tree) {}
}
