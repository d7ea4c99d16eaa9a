package dev.pgproxy.benchmarks;

import dev.pgproxy.protocol.backend.BackendWriter;
import dev.pgproxy.protocol.frame.BackendType;
import dev.pgproxy.protocol.frame.FrameReader;
import dev.pgproxy.protocol.frame.FrameSink;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.buffer.Unpooled;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** Finding the boundaries of one row among 1,000 that came in one read. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class FrameReaderBenchmark {
    private static final int ROWS = 1_000;

    /** Whether rows are passed on unseen, or told one by one. */
    @Param({"true", "false"})
    public boolean passive;

    private final Count sink = new Count();
    private final FrameReader reader = new FrameReader(sink, PooledByteBufAllocator.DEFAULT);
    private ByteBuf rows = Unpooled.EMPTY_BUFFER;

    /** Counts what it is told. */
    private static final class Count implements FrameSink {
        private long count;

        @Override
        public void begin(ByteBuf buf, int index) {}

        @Override
        public void frame(byte type, ByteBuf buf, int index, int length) {
            count += length;
        }

        @Override
        public void head(byte type, ByteBuf buf, int index, int length) {}

        @Override
        public void end(ByteBuf buf, int index) {
            count += index;
        }

        @Override
        public boolean streams(byte type, int length) {
            return false;
        }
    }

    /** Writes the rows into direct memory, as they come from a socket. */
    @Setup
    public void prepare() {
        rows = Unpooled.directBuffer();
        for (int i = 0; i < ROWS; i++) {
            BackendWriter.dataRow(rows, List.of(Integer.toString(i), "a value of some length"));
        }
        reader.passive(passive ? FrameReader.bit(BackendType.DATA_ROW) : 0);
    }

    /** One row. */
    @Benchmark
    @OperationsPerInvocation(ROWS)
    public long row() {
        reader.read(rows.retain());
        return sink.count;
    }
}
