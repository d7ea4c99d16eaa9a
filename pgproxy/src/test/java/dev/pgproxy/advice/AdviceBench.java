package dev.pgproxy.advice;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.pgproxy.advice.facts.DatabaseFacts;
import dev.pgproxy.advice.facts.FactsReader;
import dev.pgproxy.advice.index.IndexAdvice;
import dev.pgproxy.advice.rule.Rule;
import dev.pgproxy.advice.statement.ReadStatement;
import dev.pgproxy.advice.statement.StatementReader;
import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.protocol.sql.SqlAnalyzer;
import dev.pgproxy.routing.sql.MaskedReader;
import dev.pgproxy.routing.sql.ParameterTypes;
import dev.pgproxy.routing.sql.Shape;
import dev.pgproxy.routing.sql.Shapes;
import dev.pgproxy.testing.TestCluster;
import io.netty.buffer.Unpooled;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** A database of {@link TestCluster}, and statements with figures that a test makes up for what is advised of them. Not thread-safe. */
public final class AdviceBench implements AutoCloseable {
    private static final Pattern HIT = Pattern.compile("\"Shared Hit Blocks\": (\\d+)");
    private static final Pattern READ = Pattern.compile("\"Shared Read Blocks\": (\\d+)");

    private final Shapes shapes = new Shapes();
    private final MaskedReader reader = new MaskedReader(2000);
    private final String database = TestCluster.freshDatabase();
    private final Connection connection;

    /** With this schema, analyzed. */
    public AdviceBench(String... schema) {
        try {
            connection = TestCluster.primary().connect(database);
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
        for (String sql : schema) {
            run(sql);
        }
        run("VACUUM ANALYZE");
    }

    /** Runs one statement outside of a transaction, and says how many rows it gave or changed. */
    public long run(String sql) {
        try (Statement statement = connection.createStatement()) {
            long rows = 0;
            if (statement.execute(sql)) {
                try (ResultSet results = statement.getResultSet()) {
                    while (results.next()) {
                        rows++;
                    }
                }
                return rows;
            }
            return statement.getUpdateCount();
        } catch (SQLException e) {
            throw new AssertionError(sql, e);
        }
    }

    /** The one value that a query gives. */
    public double number(String sql) {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getDouble(1);
        } catch (SQLException e) {
            throw new AssertionError(sql, e);
        }
    }

    /** What EXPLAIN says. */
    public String explain(String sql) {
        StringBuilder plan = new StringBuilder();
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("EXPLAIN " + sql)) {
            while (rows.next()) {
                plan.append(rows.getString(1)).append('\n');
            }
        } catch (SQLException e) {
            throw new AssertionError(sql, e);
        }
        return plan.toString();
    }

    /**
     * Pages that it reads, from memory or not, by EXPLAIN (ANALYZE, BUFFERS); what it writes is rolled back. Counted at the
     * second run, when nothing is looked up in catalogs and no row's visibility is written down any more.
     */
    public long pages(String sql) {
        long pages = 0;
        for (int i = 0; i < 2; i++) {
            run("BEGIN");
            String plan = explain("(ANALYZE, BUFFERS, FORMAT JSON) " + sql);
            run("ROLLBACK");
            pages = first(HIT, plan) + first(READ, plan);
        }
        return pages;
    }

    /** Of the plan's top node, which has those of all others. */
    private static long first(Pattern pattern, String plan) {
        Matcher matcher = pattern.matcher(plan);
        if (!matcher.find()) {
            throw new AssertionError(plan);
        }
        return Long.parseLong(matcher.group(1));
    }

    /** The database as it is. */
    public DatabaseFacts facts() {
        try (Connection own = TestCluster.primary().connect(database)) {
            return FactsReader.read(own, Map.of(), true);
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    /** The shape that pgproxy would know the text by. */
    public Shape shape(String sql) {
        byte[] text = sql.getBytes(UTF_8);
        SqlAnalyzer analyzer = new SqlAnalyzer();
        QueryFacts facts = analyzer.analyze(Unpooled.wrappedBuffer(text), 0, text.length, true, false);
        return shapes.get(analyzer.fingerprintHigh(), analyzer.fingerprintLow(), text, facts, true);
    }

    /** What is read of its masked text; null if that cannot be read. */
    public @Nullable ReadStatement read(String sql, DatabaseFacts facts) {
        Shape shape = shape(sql);
        var tree = reader.read(shape.masked());
        return tree == null ? null : new StatementReader(facts, shape.likePattern(), ParameterTypes.NONE).read(tree);
    }

    /** A statement that has taken so long, in milliseconds per call, five hundred times within an hour. */
    public Load load(String sql, DatabaseFacts facts, double millis, long rows) {
        return new Load(
                shape(sql).fingerprint(),
                shape(sql).masked(),
                read(sql, facts),
                500,
                500 * rows,
                500 * rows * 60,
                0,
                500 * millis,
                millis,
                0,
                List.of(),
                1,
                0.1);
    }

    /** The indexes that are advised for statements of 20 ms each, as many rows as they really give or change. */
    public List<Advice> indexes(String... statements) {
        DatabaseFacts facts = facts();
        List<Load> loads = new ArrayList<>();
        for (String sql : statements) {
            run("BEGIN");
            long rows = run(sql);
            run("ROLLBACK");
            loads.add(load(sql, facts, 20, rows));
        }
        return new IndexAdvice(facts, table -> 100).of(loads);
    }

    /** What the rules say of one statement with these figures. */
    public static List<Advice> rules(DatabaseFacts facts, Load... loads) {
        List<Advice> all = new ArrayList<>();
        for (Rule rule : Rule.ALL) {
            all.addAll(rule.of(List.of(loads), facts));
        }
        return all;
    }

    @Override
    public void close() {
        shapes.close();
        try {
            connection.close();
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }
}
