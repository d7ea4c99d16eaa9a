package dev.pgproxy.client;

import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.protocol.sql.SqlScanner;
import dev.pgproxy.protocol.sql.SqlText;
import dev.pgproxy.protocol.sql.StatementKind;
import dev.pgproxy.protocol.sql.TokenType;
import dev.pgproxy.query.Routing;
import dev.pgproxy.routing.freshness.FreshnessToken;
import dev.pgproxy.routing.sql.LoopShapes;
import dev.pgproxy.session.Reported;
import dev.pgproxy.session.Session;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Statements for us, which PostgreSQL does not know: {@code EXPLAIN (ROUTE) …} and {@code SHOW pgproxy.freshness}. In their
 * place a server gets a SELECT of the answer: formats, pipelines and prepared statements are its business, as always.
 * Confined to the client's loop.
 */
final class OwnStatement {
    private final Session session;
    private final Routing routing;
    private final LoopShapes shapes;

    OwnStatement(Session session, Routing routing, LoopShapes shapes) {
        this.session = session;
        this.routing = routing;
        this.shapes = shapes;
    }

    /** Whether a text may be for us. */
    static boolean mayBe(QueryFacts facts) {
        return facts.kind() == StatementKind.EXPLAIN || facts.kind() == StatementKind.SHOW;
    }

    /**
     * The message that a server gets in place of a Query or Parse, for the caller to release; null if that is PostgreSQL's
     * own. It may be made on another thread.
     *
     * @param facts of its text, which {@link #mayBe may be} for us
     */
    @Nullable
    CompletionStage<ByteBuf> inPlaceOf(QueryFacts facts, ByteBuf message) {
        StatementMessage asked = StatementMessage.of(message);
        CompletionStage<String> sql = sql(facts, asked.text());
        return sql == null ? null : sql.thenApply(text -> asked.with(text.getBytes(StandardCharsets.US_ASCII)));
    }

    private @Nullable CompletionStage<String> sql(QueryFacts facts, byte[] text) {
        Reading reading = new Reading(text, session.reported().isConforming());
        if (facts.kind() == StatementKind.SHOW) {
            return reading.is("show", "pgproxy", ".", "freshness") && reading.isAtEnd()
                    ? CompletableFuture.completedFuture(FreshnessToken.SQL)
                    : null;
        }
        if (!reading.is("explain", "(", "route", ")")) {
            return null;
        }
        int from = reading.behindSpace();
        reading.next();
        Reported reported = session.reported();
        QueryFacts explained = shapes.analyze(
                Unpooled.wrappedBuffer(text),
                from,
                text.length - from,
                reported.isConforming(),
                reported.isAsciiUnsafe());
        int parameters = reading.parameters();
        byte[] query = Arrays.copyOfRange(text, from, text.length + 1); // with its zero
        return routing.explain(explained, query, parameters).thenApply(explanation -> explanation.sql(parameters));
    }

    /** The tokens of a text, one after the other. */
    private static final class Reading {
        private final byte[] text;
        private final SqlScanner scanner = new SqlScanner();
        private int type;

        Reading(byte[] text, boolean standardConformingStrings) {
            this.text = text;
            scanner.reset(text, 0, text.length, standardConformingStrings);
        }

        int next() {
            type = scanner.next();
            return type;
        }

        /** Where the text goes on: with a comment, perhaps. */
        int behindSpace() {
            int at = scanner.end();
            while (at < text.length && " \t\n\r\f\u000b".indexOf(text[at]) >= 0) {
                at++;
            }
            return at;
        }

        /** Whether these tokens follow. */
        boolean is(String... tokens) {
            for (String token : tokens) {
                next();
                String read = type == TokenType.WORD || type == TokenType.QUOTED
                        ? SqlText.decodeIdentifier(text, scanner.start(), scanner.end())
                        : new String(text, scanner.start(), scanner.end() - scanner.start(), StandardCharsets.UTF_8);
                if (!token.equals(read)) {
                    return false;
                }
            }
            return true;
        }

        /** Whether nothing follows but a semicolon. */
        boolean isAtEnd() {
            return next() == TokenType.END || type == ';' && next() == TokenType.END;
        }

        /** The highest number of a parameter from here on; 0 if there is none. */
        int parameters() {
            int highest = 0;
            for (; type != TokenType.END; next()) {
                if (type == TokenType.PARAMETER && scanner.end() - scanner.start() <= 6) {
                    String number = new String(
                            text, scanner.start() + 1, scanner.end() - scanner.start() - 1, StandardCharsets.US_ASCII);
                    highest = Math.max(highest, Integer.parseInt(number));
                }
            }
            return highest;
        }
    }
}
