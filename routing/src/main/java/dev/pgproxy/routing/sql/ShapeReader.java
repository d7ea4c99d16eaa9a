package dev.pgproxy.routing.sql;

import static dev.pgproxy.protocol.sql.KeywordCategory.RESERVED;
import static java.nio.charset.StandardCharsets.UTF_8;

import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.protocol.sql.SqlAnalyzer;
import dev.pgproxy.protocol.sql.StatementFacts;
import dev.pgproxy.protocol.sql.StatementFlags;
import dev.pgproxy.protocol.sql.StatementKind;
import io.netty.buffer.Unpooled;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Makes the {@link StatementShape} of a text. Two readers must agree. {@link NameFinder} walks the tokens by
 * PostgreSQL's lexical rules and finds every place where its grammar lets a relation stand; all names come from it.
 * JSqlParser reads the same structure in plainer words ({@link ParserText}) and says what it takes for tables. A table
 * that the first has not found, or a sure relation that the second does not see, makes the text not understood; so does
 * all that is too long, too deep or too slow. Blocks for as long as JSqlParser is allowed to take: not for event loops.
 * The text must be UTF-8. Thread-safe.
 */
public final class ShapeReader {
    /** Longer texts are not read, in bytes. */
    public static final int MAX_BYTES = 256 * 1024;

    /** JSqlParser may take this long for one text, in milliseconds. */
    public static final long TIMEOUT_MILLIS = 2000;

    private static final List<String> TYPICAL = List.of(
            "SELECT a.x, count(*) FROM a JOIN b ON a.id = b.id WHERE a.y = 'z' GROUP BY a.x ORDER BY 2 DESC LIMIT 10",
            "WITH t AS (SELECT * FROM a WHERE id IN (SELECT 1)) SELECT CASE WHEN x THEN 1 END FROM t, LATERAL f(t.x) g",
            "INSERT INTO a (x, y) VALUES ($1, $2) ON CONFLICT (x) DO UPDATE SET y = excluded.y RETURNING id",
            "UPDATE a SET x = $1 WHERE id = $2",
            "DELETE FROM a USING b WHERE a.id = b.id");

    private final TreeReader trees = new TreeReader(TIMEOUT_MILLIS);

    /** Reads typical statements, so that JSqlParser is loaded and compiled before a client waits for it. */
    public static void warmUp() {
        SqlAnalyzer analyzer = new SqlAnalyzer();
        ShapeReader reader = new ShapeReader();
        for (String sql : TYPICAL) {
            byte[] text = sql.getBytes(UTF_8);
            reader.read(text, analyzer.analyze(Unpooled.wrappedBuffer(text), 0, text.length, true, false), true);
        }
    }

    /**
     * The shape of a text.
     *
     * @param facts what {@link SqlAnalyzer} says of the same text under the same setting
     * @param standardConformingStrings whether backslashes in {@code '…'} are plain characters
     */
    public StatementShape read(byte[] text, QueryFacts facts, boolean standardConformingStrings) {
        Findings findings = new Findings();
        if (text.length > MAX_BYTES || facts.has(StatementFlags.OPAQUE)) {
            return findings.shape(facts, false);
        }
        boolean understood = true;
        long deadline = System.nanoTime() + TIMEOUT_MILLIS * 1_000_000;
        for (StatementFacts statement : facts.statements()) {
            understood &= System.nanoTime() < deadline;
            Result result = read(text, statement, standardConformingStrings, understood, findings);
            understood &= result == Result.UNDERSTOOD;
            if (result == Result.UNREAD && statement.has(StatementFlags.WRITES)) {
                return new Findings().shape(facts, false); // some of the names would look like all of them
            }
        }
        return findings.shape(facts, understood);
    }

    /** What reading a statement came to. Immutable. */
    private enum Result {
        UNDERSTOOD,
        /** Its names are among the findings, but JSqlParser does not agree, or was not asked. */
        NAMED,
        UNREAD;

        static Result of(boolean understood) {
            return understood ? UNDERSTOOD : UNREAD;
        }
    }

    private Result read(byte[] text, StatementFacts statement, boolean conforming, boolean parse, Findings findings) {
        int from = statement.start();
        int to = statement.endIn(text.length);
        Tokens whole = Tokens.read(text, from, to, conforming);
        if (whole == null) {
            return Result.UNREAD;
        }
        findings.addWords(whole);
        int begin = 0;
        int end = whole.count();
        while (whole.type(begin) == ';') {
            begin++;
        }
        while (end > begin && whole.type(end - 1) == ';') {
            end--;
        }
        StatementKind kind = statement.kind();
        switch (kind) {
            case SELECT, VALUES, TABLE, INSERT, UPDATE, DELETE, MERGE -> {}
            case EXPLAIN, PREPARE, DECLARE, CREATE -> {
                begin = statement.bodyStart() < 0 ? -1 : whole.indexAt(statement.bodyStart() - from);
                end = kind == StatementKind.PREPARE ? end : withoutData(whole, end);
            }
            case COPY_TO -> {
                Tokens query = copiedQuery(whole, begin);
                return query == null
                        ? Result.of(Targets.read(whole, begin, end, findings))
                        : read(query, kind, parse, findings);
            }
            case COPY_FROM, TRUNCATE, CALL -> {
                return Result.of(Targets.read(whole, begin, end, findings));
            }
            default -> begin = -1;
        }
        return begin < 0 ? Result.UNREAD : read(whole.part(begin, end), kind, parse, findings);
    }

    /** CREATE … AS query WITH [NO] DATA ends behind the query. */
    private static int withoutData(Tokens tokens, int end) {
        if (!tokens.keyword(end - 1).equals("data")) {
            return end;
        }
        int with = tokens.keyword(end - 2).equals("no") ? end - 3 : end - 2;
        return tokens.keyword(with).equals("with") ? with : end;
    }

    /** The query of COPY (query) TO STDOUT; null if it is none. */
    private static @Nullable Tokens copiedQuery(Tokens tokens, int begin) {
        int open = begin + 1;
        return tokens.type(open) == '(' && Targets.isToClient(tokens, tokens.partner(open) + 1)
                ? tokens.part(open + 1, tokens.partner(open))
                : null;
    }

    /** Reads a query or a data change; the kind is that of the statement around it, or its own. */
    private Result read(@Nullable Tokens tokens, StatementKind kind, boolean parse, Findings findings) {
        if (tokens == null) {
            return Result.UNREAD;
        }
        NameFinder names = new NameFinder(tokens);
        names.run();
        findings.add(names);
        return parse && agrees(tokens, kind, names, findings) ? Result.UNDERSTOOD : Result.NAMED;
    }

    /** Whether JSqlParser reads it the same way. */
    private boolean agrees(Tokens tokens, StatementKind kind, NameFinder names, Findings findings) {
        ParserText text = new ParserText(tokens, names.mentions);
        TreeReader.Tree tree = trees.read(text.text());
        Verb verb = Verb.of(tokens);
        if (tree == null || !verb.isOf(kind) || !verb.isOf(tree.statement())) {
            return false;
        }
        Set<Integer> tables = new HashSet<>();
        for (int offset : tree.tableOffsets()) {
            int place = text.placeAt(offset);
            if (place < 0) {
                return false;
            }
            tables.add(place);
        }
        return findings.addRelations(names, tables) && areNoRelations(tokens, names, tables);
    }

    /** JSqlParser's tables that are none: t in SELECT t.*, and in FOR UPDATE OF t. */
    private static boolean areNoRelations(Tokens tokens, NameFinder names, Set<Integer> tables) {
        names.mentions.forEach(mention -> tables.remove(mention.place()));
        boolean locked = false;
        for (int i = 0; i < tokens.count() && !tables.isEmpty(); i++) {
            boolean of = tokens.keyword(i).equals("of");
            boolean name = tokens.isIdentifier(i) && tokens.category(i) != RESERVED;
            locked = of || (locked && (name || tokens.type(i) == ',' || tokens.type(i) == '.'));
            boolean star =
                    name && tokens.type(i + 1) == '.' && tokens.word(i + 2).equals("*");
            if (star) {
                tables.remove(firstPart(tokens, i));
            } else if (locked) {
                tables.remove(i);
            }
        }
        return tables.isEmpty();
    }

    private static int firstPart(Tokens tokens, int i) {
        int first = i;
        while (tokens.type(first - 1) == '.' && tokens.isIdentifier(first - 2)) {
            first -= 2;
        }
        return first;
    }
}
