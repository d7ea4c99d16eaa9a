package dev.pgproxy.consistency;

import dev.pgproxy.consistency.Link.Answer;
import dev.pgproxy.consistency.Link.Style;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A session's way to the primary, past what is tested: for writes that nobody else is told of, and to learn what has become
 * of writes whose answer was lost. Connects when it is wanted. Confined to its session.
 */
final class PrimaryLink implements AutoCloseable {
    /** How often the primary is asked for a write: the server may yet be at it. */
    private static final int LOOKS = 100;

    private final int session;
    private final Oracle oracle;
    private final Link.Target target;
    private final List<Write> unknown = new ArrayList<>();
    private @Nullable Link link;
    private int looks;

    PrimaryLink(int session, Oracle oracle, Link.Target target) {
        this.session = session;
        this.oracle = oracle;
        this.target = target;
    }

    /** The answer of the primary; null if there is no connection to be had now. */
    @Nullable
    Answer run(Style style, List<Sql> statements) {
        if (link == null) {
            try {
                link = target.open(session);
            } catch (RuntimeException | AssertionError e) {
                oracle.error("connect past");
                return null;
            }
        }
        Answer answer = link.run(style, statements);
        if (answer.isLost()) {
            close();
        }
        return answer;
    }

    /** The answer to what may have committed this has not come. */
    void lost(Write write) {
        oracle.unknown(write);
        unknown.add(write);
        looks = 0;
    }

    /** What the primary has committed is acknowledged thereby: from then on nobody may be shown less. */
    void look() {
        for (int i = unknown.size() - 1; i >= 0; i--) {
            Write write = unknown.get(i);
            Sql read = new Sql(write.register.family.reads.getFirst(), write.register.key, 0);
            Answer answer = run(Style.SIMPLE, List.of(read));
            if (answer == null || !answer.isOk()) {
                return;
            }
            List<List<String>> rows = answer.results().getFirst().rows();
            long version = rows.isEmpty() ? 0 : Long.parseLong(rows.getFirst().get(1));
            if (version >= write.version) {
                unknown.remove(i);
            }
            if (version == write.version) {
                oracle.acknowledged(write);
            }
        }
        if (++looks > LOOKS) {
            unknown.clear();
        }
    }

    @Override
    public void close() {
        if (link != null) {
            link.close();
            link = null;
        }
    }
}
