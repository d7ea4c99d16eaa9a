package dev.pgproxy.query;

import dev.pgproxy.cache.CachedResult;
import dev.pgproxy.results.Comparison;
import dev.pgproxy.results.Dependency;
import dev.pgproxy.results.Results;
import dev.pgproxy.route.DatabaseState;
import dev.pgproxy.routing.catalog.Catalog;
import dev.pgproxy.routing.catalog.RelationSet;
import dev.pgproxy.routing.freshness.Monotonic;
import dev.pgproxy.routing.sql.Shape;
import io.netty.buffer.ByteBuf;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A read that a server answers although its answer is in the cache, as {@code cache_mode = shadow} asks. Of a sample the two
 * answers are compared when the server's is complete; the kept one must hold until then, as only then it would have been
 * right to serve it at any moment of the read. One per read; confined to the client's loop.
 */
final class Shadow {
    private static final Logger LOG = LoggerFactory.getLogger(Shadow.class);

    /** Nothing is compared. */
    private static final int NOTHING = -1;

    /** Bytes of the longest message that answers another than Execute and Describe: ReadyForQuery. */
    private static final int LONGEST_OTHER = 6;

    private final DatabaseState state;
    private final @Nullable Shape shape;
    private final CachedResult<Dependency> kept;
    private int most;
    private long sentAt;

    /** What is kept would have answered this exchange. */
    Shadow(DatabaseState state, @Nullable Shape shape, CachedResult<Dependency> kept, Exchange exchange) {
        this.state = state;
        this.shape = shape;
        this.kept = kept;
        int percent = state.results().settings().shadowSample();
        boolean sampled = ThreadLocalRandom.current().nextInt(100) < percent;
        this.most = sampled ? kept.bytes().length + LONGEST_OTHER * exchange.size() : NOTHING;
        state.shadow().hit(shape);
    }

    /** How many bytes of the server's answer to look at: a longer one is another. Less than 0 if it is not compared. */
    int most() {
        return most;
    }

    /** Whoever answers is not known to have every write: the comparison would not be fair. */
    void spare() {
        most = NOTHING;
    }

    /** It is sent to a server. */
    void sent() {
        sentAt = Monotonic.now();
    }

    /**
     * The server has answered.
     *
     * @param answer everything that the client was sent; null if it was more than {@link #most}
     */
    void answered(@Nullable ByteBuf answer, boolean simple) {
        state.shadow().answered(shape, Monotonic.now() - sentAt);
        if (most == NOTHING) {
            return;
        }
        Comparison comparison = compare(answer, simple);
        state.shadow().compared(shape, comparison);
        if (comparison == Comparison.DIFFERENT && state.shadow().mayTell(Monotonic.now())) {
            LOG.warn(
                    "cache_mode = shadow: a server's answer is another than the cache's: database {}, fingerprint {}, tables"
                            + " {}; SHOW CACHE SHADOW counts all",
                    state.database().name(),
                    shape == null ? "unknown" : shape.fingerprint(),
                    tables());
        }
    }

    private Comparison compare(@Nullable ByteBuf answer, boolean simple) {
        if (!Results.isTrue(kept)) {
            return Comparison.OVERTAKEN;
        }
        byte[] given = answer == null ? null : Answer.of(answer, simple);
        if (given == null) {
            return Comparison.DIFFERENT; // longer, or with a notice, which what is kept never has
        }
        return Answer.compare(given, kept.bytes(), state.results().keys().begin());
    }

    private String tables() {
        Catalog catalog = state.catalog();
        RelationSet reads = kept.dependency().reads();
        return catalog == null
                ? "unknown"
                : IntStream.range(0, reads.size())
                        .mapToObj(i -> catalog.nameOf(reads.id(i)))
                        .collect(Collectors.joining(", "));
    }
}
