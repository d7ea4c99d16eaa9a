package dev.pgproxy.oracle;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.protocol.sql.SqlAnalyzer;
import dev.pgproxy.protocol.sql.StatementFlags;
import dev.pgproxy.protocol.sql.StatementKind;
import dev.pgproxy.routing.sql.Name;
import dev.pgproxy.routing.sql.ShapeReader;
import dev.pgproxy.routing.sql.StatementShape;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** Compares what pgproxy says of a text with what PostgreSQL's grammar says. Confined to its thread. */
final class Judge {
    /** One kind of statement to PostgreSQL. */
    private static final Set<StatementKind> QUERIES =
            EnumSet.of(StatementKind.SELECT, StatementKind.VALUES, StatementKind.TABLE, StatementKind.WITH);

    /** What may leave the primary. */
    private static final Set<StatementKind> MAY_LEAVE = EnumSet.of(
            StatementKind.SELECT,
            StatementKind.VALUES,
            StatementKind.TABLE,
            StatementKind.WITH,
            StatementKind.COPY_TO,
            StatementKind.EXPLAIN,
            StatementKind.MULTIPLE,
            StatementKind.EMPTY);

    private static final int CHANGES = StatementFlags.WRITES | StatementFlags.DATA_MODIFYING_CTE;

    private final SqlAnalyzer analyzer = new SqlAnalyzer();
    private final ShapeReader reader = new ShapeReader();

    /** How it went. */
    enum Outcome {
        /** PostgreSQL refuses the text: whatever we say, it gives the answer. */
        REFUSED,
        EQUAL,
        /** We know less, or fear more. */
        STRICTER,
        /** We miss what PostgreSQL sees: a fault. */
        LAXER
    }

    /**
     * The judgement of one text.
     *
     * @param reasons what we miss, or why we are stricter
     */
    record Verdict(Outcome outcome, List<String> reasons) {}

    /** Compares. */
    Verdict judge(String sql, PostgresParser.Parsed parsed) {
        byte[] text = sql.getBytes(UTF_8);
        QueryFacts facts = analyzer.analyze(Unpooled.wrappedBuffer(text), 0, text.length, true, false);
        StatementShape shape = reader.read(text, facts, true);
        if (!parsed.isValid()) {
            return new Verdict(Outcome.REFUSED, List.of());
        }
        if (shape.has(StatementFlags.OPAQUE)) {
            return new Verdict(Outcome.STRICTER, List.of("opaque"));
        }
        Grammar grammar = Grammar.of(parsed.tree());
        List<String> missed = missed(grammar, shape);
        if (!missed.isEmpty()) {
            return new Verdict(Outcome.LAXER, missed);
        }
        List<String> stricter = stricter(grammar, shape);
        return new Verdict(stricter.isEmpty() ? Outcome.EQUAL : Outcome.STRICTER, stricter);
    }

    private static List<String> missed(Grammar grammar, StatementShape shape) {
        List<String> missed = new ArrayList<>();
        if (!isSameKind(grammar, shape) && MAY_LEAVE.contains(shape.kind())) {
            missed.add("kind " + grammar.kind + ", not " + shape.kind());
        }
        boolean mayLeave = MAY_LEAVE.contains(shape.kind()) && grammar.executes;
        if (grammar.changes && mayLeave && !shape.has(CHANGES)) {
            missed.add("that it changes data");
        }
        if (grammar.locksRows && mayLeave && !shape.has(StatementFlags.ROW_LOCK | CHANGES)) {
            missed.add("a row lock");
        }
        // PostgreSQL refuses it inside COPY, when it analyses it
        boolean into = grammar.selectsInto && shape.kind() != StatementKind.COPY_TO;
        if (into && mayLeave && !shape.has(StatementFlags.SELECT_INTO | CHANGES)) {
            missed.add("SELECT INTO");
        }
        if (grammar.onlyQueries && shape.understood()) {
            add("relations among mentions", grammar.relations, shape.mentions(), missed);
            add("relations", grammar.relations, shape.relations(), missed);
            add("functions", grammar.functions, shape.functions(), missed);
            add("operators", grammar.operators, operators(shape), missed);
            add("types", grammar.types, shape.words(), missed);
            add("written", grammar.written, shape.written(), missed);
        } else if (grammar.onlyQueries && !shape.mentions().isEmpty()) {
            // the primary's, and may read anything; but what it changes is looked for among the mentions, if there are
            // any
            add("written among mentions", grammar.written, shape.mentions(), missed);
        }
        return missed;
    }

    /** As PostgreSQL's scanner gives them. */
    private static Set<String> operators(StatementShape shape) {
        return shape.operators().stream()
                .map(Name::name)
                .map(operator -> operator.equals("!=") ? "<>" : operator)
                .collect(Collectors.toSet());
    }

    private static <T> void add(String what, Set<T> theirs, Set<T> ours, List<String> missed) {
        Set<T> absent = new HashSet<>(theirs);
        absent.removeAll(ours);
        if (!absent.isEmpty()) {
            missed.add(what + ": " + absent);
        }
    }

    private static List<String> stricter(Grammar grammar, StatementShape shape) {
        List<String> reasons = new ArrayList<>();
        if (!isSameKind(grammar, shape)) {
            reasons.add("kind");
        }
        if (grammar.onlyQueries) {
            if (!shape.understood()) {
                reasons.add("not understood");
            } else if (!shape.relations().equals(grammar.relations)) {
                reasons.add("more relations");
            }
            Set<Name> more = new HashSet<>(shape.functions());
            more.removeAll(grammar.functions);
            if (shape.understood() && !more.isEmpty()) {
                reasons.add("more functions");
            }
            if (shape.has(StatementFlags.ROW_LOCK) && !grammar.locksRows) {
                reasons.add("row lock");
            }
            if (shape.has(CHANGES) && !grammar.changes && QUERIES.contains(shape.kind())) {
                reasons.add("changes");
            }
        }
        return reasons;
    }

    private static boolean isSameKind(Grammar grammar, StatementShape shape) {
        return grammar.kind == shape.kind()
                || (QUERIES.contains(grammar.kind) && QUERIES.contains(shape.kind()))
                || (grammar.kind == StatementKind.OTHER && !MAY_LEAVE.contains(shape.kind()));
    }
}
