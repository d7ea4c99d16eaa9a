package dev.pgproxy.routing.catalog;

import dev.pgproxy.protocol.sql.StatementFlags;
import dev.pgproxy.protocol.sql.StatementKind;
import dev.pgproxy.routing.catalog.CatalogRows.ForeignKeyRow;
import dev.pgproxy.routing.catalog.CatalogRows.FunctionRow;
import dev.pgproxy.routing.catalog.CatalogRows.OperatorRow;
import dev.pgproxy.routing.catalog.CatalogRows.RelationRow;
import dev.pgproxy.routing.catalog.CatalogRows.TypeRow;
import dev.pgproxy.routing.catalog.Graph.Act;
import dev.pgproxy.routing.sql.Name;
import dev.pgproxy.routing.sql.StatementShape;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The definitions of one database at one moment, and what follows from them for a statement. All closures are computed
 * when it is made; a {@link #reading} is look-ups and unions. Immutable.
 */
public final class Catalog {
    private static final int CHANGES = StatementFlags.WRITES
            | StatementFlags.DDL
            | StatementFlags.DO_OR_CALL
            | StatementFlags.SELECT_INTO
            | StatementFlags.DATA_MODIFYING_CTE;

    private static final int SESSION = StatementFlags.NEXTVAL
            | StatementFlags.CURRVAL
            | StatementFlags.SETVAL
            | StatementFlags.SESSION_LOCK
            | StatementFlags.SESSION_UNLOCK
            | StatementFlags.LARGE_OBJECT
            | StatementFlags.UNPREDICTABLE_STATE
            | StatementFlags.MENTIONS_PREPARED
            | StatementFlags.MENTIONS_CHANNELS
            | StatementFlags.MENTIONS_SETTINGS
            | StatementFlags.MENTIONS_TEMP_SCHEMA
            | StatementFlags.CREATES_TEMP
            | StatementFlags.HOLD_CURSOR;

    private static final NameList CONSTRUCTS = new NameList("constructs.txt");
    private static final Reading EVERYTHING =
            new Reading(RelationSet.ALL, RelationSet.ALL, null, null, false, CacheFacts.FREE);

    /** What a plan looks like depends on statistics and definitions. */
    private static final Reading PLAN = Reading.of(CacheFacts.hindered(CacheHindrance.NOT_A_QUERY, "EXPLAIN"));

    private final long version;
    private final Names<Integer> relations;
    private final Names<Reading> functions = new Names<>();
    private final Set<String> types = new HashSet<>();
    private final Map<Integer, String> names = new HashMap<>();
    private final Map<String, Integer> oids = new HashMap<>();
    private final Map<Integer, Reading> reads = new HashMap<>();
    private final Map<Integer, Reading> writes = new HashMap<>();
    private final Map<Integer, Reading> truncations = new HashMap<>();
    private final Names<Reading> operators = new Names<>();
    private final Map<String, Reading> words = new HashMap<>();
    private final RelationSet undecoded;
    private final Set<Integer> telling = new HashSet<>();
    private final Inheritance inheritance;
    private final List<Integer> tables;
    private final Map<Integer, List<ForeignKeyRow>> foreignKeys = new HashMap<>();
    private final Reading implicit;
    private final int relationCount;
    private final int functionCount;

    private Catalog(CatalogRows rows, long version) {
        this.version = version;
        GraphBuilder builder = new GraphBuilder(rows);
        Graph graph = builder.graph;
        relations = builder.relationNames;
        inheritance = new Inheritance(rows.inheritance());
        for (RelationRow relation : rows.relations()) {
            int oid = relation.oid();
            if (relation.notifies()) {
                telling.add(oid);
            }
            names.put(oid, relation.schema() + "." + relation.name());
            oids.put(relation.schema() + "." + relation.name(), oid);
            reads.put(oid, graph.closure(Graph.node(Act.READ, oid)));
            writes.put(oid, graph.closure(Graph.node(Act.WRITE, oid)));
            truncations.put(oid, graph.closure(Graph.node(Act.TRUNCATE, oid)));
        }
        for (FunctionRow function : rows.functions()) {
            Reading called = graph.closure(Graph.node(Act.CALL, function.oid()));
            functions.add(function.schema(), function.name(), called);
            if (function.name().equals("current_setting") && !FunctionRules.isBuiltIn(function)) {
                put(words, function.name(), called); // where the argument says enough of PostgreSQL's own
            }
        }
        rows.types().stream().map(TypeRow::name).forEach(types::add);
        for (OperatorRow operator : rows.operators()) {
            Reading reading = hidden(graph, List.of(Graph.node(Act.CALL, operator.function())));
            if (!reading.isNothing()) {
                operators.add(operator.schema(), operator.name(), reading);
            }
        }
        builder.types.forEach((name, nodes) -> put(words, name, hidden(graph, nodes)));
        builder.attributes.forEach((name, nodes) -> put(words, name, graph.closure(nodes)));
        SpecialWords.READINGS.forEach((word, reading) -> put(words, word, reading));
        implicit = hidden(graph, builder.implicit);
        tables = rows.relations().stream()
                .filter(row -> !isSystem(row.oid()) && "rpm".indexOf(row.kind()) >= 0)
                .map(RelationRow::oid)
                .toList();
        for (ForeignKeyRow key : rows.foreignKeys()) {
            foreignKeys
                    .computeIfAbsent(key.referencing(), oid -> new ArrayList<>(1))
                    .add(key);
        }
        undecoded = RelationSet.of(rows.relations().stream()
                .filter(row -> "mSf".indexOf(row.kind()) >= 0 || row.persistence() == 'u')
                .mapToInt(RelationRow::oid)
                .toArray());
        relationCount = (int)
                rows.relations().stream().filter(row -> !isSystem(row.oid())).count();
        functionCount = (int)
                rows.functions().stream().filter(row -> !isSystem(row.oid())).count();
    }

    /** The catalog that these rows make; the version is the caller's. */
    public static Catalog of(CatalogRows rows, long version) {
        return new Catalog(rows, version);
    }

    /** What stands behind an operator, a cast or a type is not seen in the text, and is named so. */
    private static Reading hidden(Graph graph, Collection<Long> nodes) {
        Reading closure = graph.closure(nodes);
        return closure.hindrance() != Hindrance.VOLATILE_FUNCTION
                ? closure
                : new Reading(
                        closure.reads(),
                        closure.writes(),
                        Hindrance.VOLATILE_OPERATOR,
                        closure.culprit(),
                        closure.transactionBound(),
                        closure.caching());
    }

    private static void put(Map<String, Reading> readings, String name, Reading reading) {
        if (!reading.isNothing()) {
            readings.merge(name, reading, Reading::with);
        }
    }

    /** The version given when it was made. */
    public long version() {
        return version;
    }

    /** How many relations users have made. */
    public int relationCount() {
        return relationCount;
    }

    /** How many functions users have made, extensions included. */
    public int functionCount() {
        return functionCount;
    }

    /** The relation's schema and name, not quoted; null if there is none. */
    public @Nullable String nameOf(int oid) {
        return names.get(oid);
    }

    /** The foreign keys of a table. */
    public List<ForeignKeyRow> foreignKeys(int oid) {
        return Collections.unmodifiableList(foreignKeys.getOrDefault(oid, List.of()));
    }

    /** The users' tables, partitions and materialized views. */
    public Collection<Integer> tables() {
        return tables;
    }

    /** Whether a logical replication slot tells of all writes to these: not of unlogged and foreign tables, materialized views, sequences. */
    public boolean isDecoded(RelationSet relations) {
        for (int i = 0; i < relations.size(); i++) {
            if (undecoded.contains(relations.id(i))) {
                return false;
            }
        }
        return !relations.isAll();
    }

    /**
     * Whether triggers tell of all writes to this: its own of those that name it, those of each table that it is a partition or
     * child of of those that come from there. What triggers of other tables and foreign keys' actions write is named by these.
     */
    public boolean isTold(int oid) {
        return telling.contains(oid) && telling.containsAll(inheritance.ancestors(oid));
    }

    /** A table of which it depends whether all that is read of this is told, and whose triggers do not; null if there is none. */
    public @Nullable String untold(int oid) {
        Set<Integer> all = new LinkedHashSet<>(List.of(oid));
        all.addAll(inheritance.descendants(oid));
        for (int each : List.copyOf(all)) {
            all.addAll(inheritance.ancestors(each));
        }
        all.removeAll(telling);
        return all.isEmpty() ? null : nameOf(all.iterator().next());
    }

    /** Where the rows are that a statement may have changed which named this table: there, and in what is below it. */
    public RelationSet rowsOf(int oid) {
        if (!names.containsKey(oid)) {
            return RelationSet.ALL; // newer than this catalog, and below which table is not known
        }
        return RelationSet.of(inheritance.descendants(oid).stream()
                        .mapToInt(Integer::intValue)
                        .toArray())
                .with(RelationSet.of(oid));
    }

    /** What writing a relation may write: itself, and what follows from it; nothing for what is not known. */
    public RelationSet writing(int oid) {
        return writes.getOrDefault(oid, Reading.NOTHING).writes();
    }

    /** The relations of this name, in this schema or, for null, in any; as the catalog spells both. */
    public Collection<Integer> named(@Nullable String schema, String name) {
        return relations.all(new Name(schema, name), SearchPath.ANY);
    }

    /** The relation of this schema and name, as {@link #nameOf} gives them; null if there is none. */
    public @Nullable Integer oidOf(String name) {
        return oids.get(name);
    }

    /** Whether it is a relation of PostgreSQL itself, which changes with definitions, whatever statement changes them. */
    public boolean isSystem(int oid) {
        return FunctionRules.isSystem(oid);
    }

    /**
     * What the statements mean under this search_path. Whether a COPY goes to STDOUT, whether an EXPLAIN executes, and of
     * which kinds the statements of a MULTIPLE are is for the caller to see; so are the values of parameters: 'now' may be among
     * them.
     */
    public Reading reading(StatementShape shape, SearchPath path) {
        Union union = new Union();
        Hindrance hindrance = hindrance(shape);
        if (hindrance != null) {
            union.add(Reading.hindered(hindrance, null));
        }
        if (shape.kind() == StatementKind.EXPLAIN) {
            union.add(PLAN);
        }
        if (shape.has(StatementFlags.OPAQUE)) {
            union.add(EVERYTHING);
        } else if (!shape.understood()) {
            union.add(Reading.of(RelationSet.ALL));
        }
        if (shape.has(CHANGES)) {
            changes(shape, path, union);
        }
        for (Name name : shape.relations()) {
            if (relations.first(name, path).isEmpty()) {
                union.add(unknown(Hindrance.UNKNOWN_RELATION, name));
            }
            relations.first(name, path).forEach(oid -> union.add(read(oid)));
        }
        for (Name name : shape.mentions()) {
            relations.first(name, path).forEach(oid -> union.add(read(oid)));
        }
        for (Name name : shape.functions()) {
            List<Reading> called = functions.all(name, path);
            called.forEach(union::add);
            if (called.isEmpty() && !isTypeOrConstruct(name)) {
                union.add(unknown(Hindrance.UNKNOWN_FUNCTION, name));
            }
        }
        for (Name operator : shape.operators()) {
            operators.all(GraphBuilder.operator(operator), path).forEach(union::add);
        }
        for (String word : shape.words()) {
            union.add(words.getOrDefault(word, Reading.NOTHING));
        }
        union.add(implicit);
        return union.reading;
    }

    private static @Nullable Hindrance hindrance(StatementShape shape) {
        if (shape.has(StatementFlags.OPAQUE)) {
            return Hindrance.UNPARSED;
        }
        if (shape.has(CHANGES | StatementFlags.NOTIFIES)) {
            return Hindrance.WRITE;
        }
        if (shape.has(StatementFlags.ROW_LOCK)) {
            return Hindrance.ROW_LOCK;
        }
        if (shape.has(SESSION)) {
            return Hindrance.SESSION_STATE;
        }
        return switch (shape.kind()) {
            case SELECT, VALUES, TABLE, WITH, COPY_TO, EXPLAIN, MULTIPLE ->
                shape.understood() ? null : Hindrance.UNPARSED;
            default -> Hindrance.NOT_A_QUERY;
        };
    }

    /** What it names as its targets; everything, where it is more than a change of rows. */
    private void changes(StatementShape shape, SearchPath path, Union union) {
        boolean rowsOnly = switch (shape.kind()) {
            case TRUNCATE, REFRESH -> true;
            case SELECT, WITH, INSERT, UPDATE, DELETE, MERGE, COPY_FROM, COPY_TO, EXPLAIN, MULTIPLE, PREPARE, DECLARE ->
                !shape.has(StatementFlags.DDL | StatementFlags.SELECT_INTO | StatementFlags.DO_OR_CALL);
            default -> false;
        };
        if (shape.kind() == StatementKind.CALL && shape.understood()) {
            return; // what it does is what its functions do
        }
        if (!rowsOnly) {
            union.add(EVERYTHING);
            return;
        }
        boolean exact = shape.understood() && !shape.written().isEmpty();
        Map<Integer, Reading> acts = shape.kind() == StatementKind.TRUNCATE ? truncations : writes;
        boolean found = false;
        for (Name name : exact ? shape.written() : shape.mentions()) {
            List<Integer> oids = relations.first(name, path);
            oids.forEach(oid -> union.add(acts.getOrDefault(oid, Reading.NOTHING)));
            found |= !oids.isEmpty();
            if (exact && oids.isEmpty()) {
                union.add(EVERYTHING);
            }
        }
        if (!found) {
            union.add(EVERYTHING);
        }
    }

    private Reading read(Integer oid) {
        return reads.getOrDefault(oid, Reading.NOTHING);
    }

    /** What is not known may be newer than this catalog, and do anything. */
    private static Reading unknown(Hindrance hindrance, Name name) {
        return new Reading(RelationSet.ALL, RelationSet.ALL, hindrance, name.toString(), true, CacheFacts.FREE);
    }

    /** Casts can be written like calls: what they do is found by the word. */
    private boolean isTypeOrConstruct(Name name) {
        return types.contains(name.name()) || (name.schema() == null && CONSTRUCTS.contains(name.name()));
    }

    /** A reading that grows. Confined to its thread. */
    private static final class Union {
        private Reading reading = Reading.NOTHING;

        void add(Reading more) {
            reading = reading.with(more);
        }
    }
}
