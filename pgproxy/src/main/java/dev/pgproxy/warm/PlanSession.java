package dev.pgproxy.warm;

import dev.pgproxy.client.ClientServices;
import dev.pgproxy.config.HostAddress;
import dev.pgproxy.config.SlowSettings;
import dev.pgproxy.insight.Sample;
import dev.pgproxy.protocol.frame.BackendType;
import dev.pgproxy.protocol.frame.FrameReader;
import dev.pgproxy.protocol.frontend.FrontendWriter;
import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoop;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Asks for the plan of a statement as its user, with what its session had set, in a read-only transaction that is rolled back:
 * on a replica if there is one that can be asked, since such a transaction stays where its first statement goes. A statement with
 * parameters gets the plan that is good for any values. Confined to its loop.
 */
final class PlanSession extends InsideSession {
    private static final String NAME = "pgproxy_plan";

    /** The planner waits for locks no longer: who holds one, or wants one that excludes all others, is not to notice. */
    private static final long LOCK_MILLIS = 100;

    private final Sample sample;
    private final SlowSettings settings;
    private final Deque<Runnable> steps = new ArrayDeque<>();
    private int parameters;
    private boolean explaining;
    private String json = "";
    private String how = "sampled";
    private @Nullable HostAddress host;

    PlanSession(Sample sample, SlowSettings settings, EventLoop loop, Listener listener) {
        super(loop, listener);
        this.sample = sample;
        this.settings = settings;
    }

    void begin(ClientServices services) {
        sample.settings().forEach(sql -> steps.add(() -> send(sql)));
        steps.add(() -> send("SET client_encoding = 'UTF8'"));
        steps.add(() -> send("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"));
        steps.add(() -> send("/* pgproxy: replica */ SELECT 1"));
        steps.add(() ->
                send("SET LOCAL statement_timeout = " + settings.planTimeout().toMillis()
                        + "; SET LOCAL lock_timeout = " + LOCK_MILLIS
                        + (sample.isPrepared() ? "; SET LOCAL plan_cache_mode = force_generic_plan" : "")));
        if (sample.isPrepared()) {
            steps.add(this::parse);
            steps.add(this::explainPrepared);
        } else {
            steps.add(this::explain);
        }
        steps.add(() -> {
            explaining = false;
            host = client().host();
            send("ROLLBACK");
        });
        begin(services, sample.user(), sample.database(), Map.of());
    }

    @Override
    void next() {
        Runnable step = steps.poll();
        if (step == null) {
            end(KEPT);
        } else {
            step.run();
        }
    }

    private void parse() {
        ByteBuf out = buffer();
        byte[] name = NAME.getBytes(StandardCharsets.US_ASCII);
        FrontendWriter.parse(out, name, sample.body());
        FrontendWriter.describe(out, FrontendWriter.STATEMENT, name);
        FrontendWriter.sync(out);
        send(out);
    }

    private void explainPrepared() {
        explaining = true;
        how = "generic";
        String nulls = parameters == 0 ? "" : "(" + String.join(",", Collections.nCopies(parameters, "NULL")) + ")";
        send("EXPLAIN (FORMAT JSON) EXECUTE " + NAME + nulls);
    }

    /** In the extended protocol, where a text of several statements is an error. */
    private void explain() {
        explaining = true;
        boolean executes = settings.planAnalyze() && client().isRead(sample.shape());
        how = executes ? "analyzed" : "sampled";
        byte[] begin = ("EXPLAIN (FORMAT JSON" + (executes ? ", ANALYZE" : "") + ") ").getBytes(StandardCharsets.UTF_8);
        byte[] rest = new byte[begin.length + sample.body().length + 3]; // the zero, and no types
        System.arraycopy(begin, 0, rest, 0, begin.length);
        System.arraycopy(sample.body(), 0, rest, begin.length, sample.body().length);
        ByteBuf out = buffer();
        FrontendWriter.parse(out, new byte[0], rest);
        FrontendWriter.bind(out, "", "");
        FrontendWriter.execute(out, "");
        FrontendWriter.sync(out);
        send(out);
    }

    @Override
    void row(ByteBuf buf, int index) {
        int at = index + FrameReader.HEADER + Short.BYTES;
        int length = buf.getInt(at);
        if (explaining && length > 0) {
            json = buf.toString(at + Integer.BYTES, length, StandardCharsets.UTF_8);
        }
    }

    @Override
    void other(byte type, ByteBuf buf, int index) {
        if (type == BackendType.PARAMETER_DESCRIPTION) {
            parameters = buf.getUnsignedShort(index + FrameReader.HEADER);
        }
    }

    @Override
    public boolean streams(byte type, int length) {
        return false;
    }

    /** What PostgreSQL has answered; empty if nothing. */
    String json() {
        return json;
    }

    /** Who has answered; null if nobody has. */
    @Nullable
    HostAddress host() {
        return host;
    }

    /** For people: with which values. */
    String how() {
        return how;
    }
}
