package dev.pgproxy.routing.sql;

import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.protocol.sql.SqlAnalyzer;
import dev.pgproxy.routing.RoutingHint;
import io.netty.buffer.ByteBuf;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Facts with their shape for the texts of one event loop; a shape that was met lately costs neither allocation nor a look
 * at what all loops share. Confined to its event loop.
 */
public final class LoopShapes {
    private static final int MET = 4096;

    /** A longer text is looked up, which is little beside reading it; so many long ones would be much to remember. */
    private static final int MET_BYTES = 2048;

    private record Met(Shape shape, QueryFacts plain, QueryFacts shaped) {}

    private final Shapes shapes;
    private final SqlAnalyzer analyzer;
    private RoutingHint.@Nullable Parsed hinted;
    private final @Nullable Met[] met = new @Nullable Met[MET];

    /** In front of the shapes that are known. */
    public LoopShapes(Shapes shapes) {
        this.shapes = shapes;
        this.analyzer = new SqlAnalyzer(shapes.seed());
    }

    /** As {@link SqlAnalyzer#analyze}, with the shape of the text, which may not have been read yet, and its hint. */
    public QueryFacts analyze(
            ByteBuf text, int index, int length, boolean standardConformingStrings, boolean asciiUnsafe) {
        QueryFacts facts = shaped(text, index, length, standardConformingStrings, asciiUnsafe);
        String hint = analyzer.hint();
        hinted = hint == null ? null : RoutingHint.parse(hint);
        byte[] uncommented = shapes.isComparing() ? analyzer.uncommented() : null;
        if (uncommented != null) {
            facts = facts.withUncommented(uncommented);
        }
        return hinted == null || hinted.hint() == RoutingHint.NONE ? facts : facts.withHint(hinted.hint());
    }

    private QueryFacts shaped(
            ByteBuf text, int index, int length, boolean standardConformingStrings, boolean asciiUnsafe) {
        QueryFacts plain = analyzer.analyze(text, index, length, standardConformingStrings, asciiUnsafe);
        long high = analyzer.fingerprintHigh();
        long low = analyzer.fingerprintLow();
        int slot = (int) high & MET - 1;
        Met last = met[slot];
        if (last != null && last.plain == plain && last.shape.high() == high && last.shape.low() == low) {
            return last.shaped;
        }
        Shape shape = shapes.find(high, low);
        if (shape == null) {
            byte[] copy = new byte[length];
            text.getBytes(index, copy);
            shape = shapes.get(high, low, copy, plain, standardConformingStrings);
        }
        QueryFacts shaped = plain.withShape(shape);
        if (length <= MET_BYTES) {
            met[slot] = new Met(shape, plain, shaped);
        }
        return shaped;
    }

    /** What is wrong with the hint in a comment of the last text. */
    public List<String> problems() {
        return hinted == null ? List.of() : hinted.problems();
    }
}
