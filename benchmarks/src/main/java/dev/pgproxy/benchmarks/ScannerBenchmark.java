package dev.pgproxy.benchmarks;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.protocol.sql.SqlAnalyzer;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.concurrent.TimeUnit;
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
import org.openjdk.jmh.annotations.Warmup;

/** The analysis of one text, facts and fingerprint; run with {@code -prof gc}: ordinary texts allocate nothing. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class ScannerBenchmark {
    /** The text of a Query or Parse message. */
    @Param({
        "BEGIN",
        "SELECT abalance FROM pgbench_accounts WHERE aid = $1;",
        "INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES (12, 1, 77777, -431, CURRENT_TIMESTAMP)",
        "SELECT \"User\".\"id\", \"User\".\"email\" FROM \"public\".\"User\" WHERE (\"User\".\"id\" = $1 AND 1=1) LIMIT $2",
        "SET search_path TO a, b",
    })
    public String sql = "";

    private final SqlAnalyzer analyzer = new SqlAnalyzer();
    private ByteBuf text = Unpooled.EMPTY_BUFFER;

    /** Puts the text into direct memory, as it comes from a socket. */
    @Setup
    public void prepare() {
        text = Unpooled.directBuffer().writeBytes(sql.getBytes(UTF_8));
    }

    /** Facts of one text. */
    @Benchmark
    public QueryFacts analyze() {
        return analyzer.analyze(text, 0, text.writerIndex(), true, false);
    }
}
