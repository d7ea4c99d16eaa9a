package dev.pgproxy.query;

import dev.pgproxy.insight.LoopStats;
import dev.pgproxy.insight.Sample;
import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.routing.sql.Shape;
import dev.pgproxy.session.Session;
import dev.pgproxy.session.Settings;
import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Remembers the text of a statement whose plan is wanted when it is written the next time, with what its session has set; of all
 * others it reads one field. One per client, confined to its loop.
 *
 * @param stats who wants it; null = nobody
 */
record SampleWatch(@Nullable LoopStats stats, Session session) {
    /** A Query is about to be written. */
    void query(QueryFacts facts, ByteBuf buf, int from, int end) {
        if (isSought(facts)) {
            boolean whole = end > from && buf.getByte(end - 1) == 0;
            byte[] text = new byte[whole ? end - 1 - from : 0];
            buf.getBytes(from, text);
            sample(facts, text, whole, false);
        }
    }

    /** A statement is about to be bound; {@code rest} is its Parse behind the name. */
    void bound(QueryFacts facts, byte[] rest) {
        if (isSought(facts)) {
            sample(facts, rest, true, true);
        }
    }

    private boolean isSought(QueryFacts facts) {
        Shape shape = (Shape) facts.shape();
        Shape.Sought sought = shape == null ? null : shape.sought();
        return sought != null
                && stats != null
                && sought.user().equals(session.user())
                && sought.database().equals(session.database());
    }

    private void sample(QueryFacts facts, byte[] body, boolean whole, boolean prepared) {
        Shape shape = Objects.requireNonNull((Shape) facts.shape());
        shape.seek(null);
        String hindrance = whole ? PlanHindrance.of(facts, body, session) : "the text is too long";
        Settings set = session.settings().get();
        List<String> settings = new ArrayList<>();
        set.names().forEach(name -> settings.add(Objects.requireNonNull(set.get(name))));
        Objects.requireNonNull(stats)
                .sample(new Sample(
                        shape,
                        session.database(),
                        session.user(),
                        settings,
                        hindrance.isEmpty() ? body : new byte[0],
                        prepared,
                        hindrance));
    }
}
