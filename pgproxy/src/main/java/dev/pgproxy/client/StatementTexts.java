package dev.pgproxy.client;

import dev.pgproxy.protocol.frame.CString;
import dev.pgproxy.protocol.frame.FrameReader;
import dev.pgproxy.protocol.frame.FrontendType;
import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.query.Routing;
import dev.pgproxy.routing.sql.HintedTexts;
import dev.pgproxy.routing.sql.LoopShapes;
import dev.pgproxy.routing.sql.ParameterTypes;
import dev.pgproxy.routing.sql.Shape;
import dev.pgproxy.session.Reported;
import dev.pgproxy.session.Session;
import dev.pgproxy.session.UnnamedStatement;
import io.netty.buffer.ByteBuf;
import io.netty.util.concurrent.FastThreadLocal;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Reads the texts of one client's statements, as closely as anybody wants to know. Confined to the client's loop. */
final class StatementTexts {
    private static final FastThreadLocal<HintedTexts> ANALYZERS = new FastThreadLocal<>() {
        @Override
        protected HintedTexts initialValue() {
            return new HintedTexts();
        }
    };

    private final ClientServices services;
    private final Session session;
    private final @Nullable Routing routing;
    private final Consumer<String> notice;

    /**
     * For one client.
     *
     * @param routing null if the database is none of the configuration any more
     * @param notice tells the client something
     */
    StatementTexts(ClientServices services, Session session, @Nullable Routing routing, Consumer<String> notice) {
        this.services = services;
        this.session = session;
        this.routing = routing;
        this.notice = notice;
    }

    /** What the text of a whole Query or Parse says. */
    QueryFacts facts(byte type, ByteBuf buf, int index, int length) {
        int from = index + FrameReader.HEADER;
        int end = index + length;
        if (type == FrontendType.QUERY) {
            return analyze(buf, from, end);
        }
        int name = CString.find(buf, from, end);
        if (name < 0) {
            return QueryFacts.OPAQUE;
        }
        UnnamedStatement last = session.unnamed(); // many drivers send the same one again and again
        if (last != null && last.isSame(buf, name + 1, end - name - 1, session.reported())) {
            return last.facts();
        }
        QueryFacts facts = analyze(buf, name + 1, end);
        if (facts.shape() instanceof Shape shape && shape.parameterTypes() == null) {
            shape.declare(ParameterTypes.read(buf, CString.end(buf, name + 1, end) + 1, end));
        }
        return facts;
    }

    private QueryFacts analyze(ByteBuf buf, int from, int end) {
        int zero = CString.find(buf, from, end);
        if (zero < 0) {
            return QueryFacts.OPAQUE; // the server shall say what is wrong with it
        }
        Reported reported = session.reported();
        int length = zero - from;
        boolean obeyed =
                routing != null && routing.isWatching() || !services.rules().isEmpty();
        if (!obeyed && services.stats() == null) {
            return ANALYZERS.get().analyze(buf, from, length, reported.isConforming(), reported.isAsciiUnsafe());
        }
        LoopShapes shapes = services.shapesOfLoop();
        QueryFacts facts = shapes.analyze(buf, from, length, reported.isConforming(), reported.isAsciiUnsafe());
        if (obeyed) {
            for (String problem : shapes.problems()) {
                notice.accept("the hint in a comment is not obeyed: " + problem);
            }
        }
        return facts;
    }
}
