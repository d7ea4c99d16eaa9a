package dev.pgproxy.benchmarks;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.routing.catalog.Catalog;
import dev.pgproxy.routing.catalog.CatalogRows;
import dev.pgproxy.routing.catalog.Reading;
import dev.pgproxy.routing.catalog.SearchPath;
import dev.pgproxy.routing.sql.LoopShapes;
import dev.pgproxy.routing.sql.Shape;
import dev.pgproxy.routing.sql.Shapes;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** What a text of a known shape reads: facts, fingerprint, memo, and what that means in the catalog. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class ClassifyBenchmark {
    private static final SearchPath PATH = new SearchPath(List.of("public"));

    /** The text of a Query or Parse message; the second has 200 bytes. */
    @Param({
        "SELECT abalance FROM pgbench_accounts WHERE aid = 4711;",
        "SELECT u.id, u.email, u.name, count(o.id) AS orders FROM users u LEFT JOIN orders o ON o.user_id = u.id WHERE"
                + " u.active AND u.country = 'de' AND o.total > 99.5 GROUP BY u.id ORDER BY orders DESC LIMIT 20 OFFSET 40",
    })
    public String sql = "";

    private final Shapes shapes = new Shapes();
    private final LoopShapes loop = new LoopShapes(shapes);
    private final Catalog catalog = Catalog.of(
            new CatalogRows(
                    List.of(), List.of(), List.of(), List.of(), List.of(), List.of(), List.of(), List.of(), List.of(),
                    List.of(), List.of()),
            1);
    private ByteBuf text = Unpooled.EMPTY_BUFFER;

    /** Puts the text into direct memory, as it comes from a socket, and has it read. */
    @Setup
    public void prepare() throws InterruptedException {
        text = Unpooled.directBuffer().writeBytes(sql.getBytes(UTF_8));
        Shape shape = shape();
        CountDownLatch read = new CountDownLatch(1);
        if (shape.whenRead(read::countDown)) {
            read.await();
        }
    }

    /** Ends the thread that reads. */
    @TearDown
    public void close() {
        shapes.close();
    }

    private Shape shape() {
        QueryFacts facts = loop.analyze(text, 0, text.writerIndex(), true, false);
        return (Shape) Objects.requireNonNull(facts.shape());
    }

    /** One text. */
    @Benchmark
    public @Nullable Reading classify() {
        return shape().reading(catalog, PATH);
    }
}
