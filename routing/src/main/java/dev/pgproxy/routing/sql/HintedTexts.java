package dev.pgproxy.routing.sql;

import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.protocol.sql.SqlAnalyzer;
import dev.pgproxy.routing.RoutingHint;
import io.netty.buffer.ByteBuf;

/** Reads texts where nobody asks for their shapes: what they do to a session, and what they ask for. For one thread. */
public final class HintedTexts {
    private final SqlAnalyzer analyzer = new SqlAnalyzer();

    /** As {@link SqlAnalyzer#analyze}, with the hint of the text if there is one that can be obeyed. */
    public QueryFacts analyze(
            ByteBuf text, int index, int length, boolean standardConformingStrings, boolean asciiUnsafe) {
        QueryFacts facts = analyzer.analyze(text, index, length, standardConformingStrings, asciiUnsafe);
        String hint = analyzer.hint();
        RoutingHint asked =
                hint == null ? RoutingHint.NONE : RoutingHint.parse(hint).hint();
        return asked == RoutingHint.NONE ? facts : facts.withHint(asked);
    }
}
