package dev.pgproxy.warm;

import dev.pgproxy.client.ClientServices;
import dev.pgproxy.config.HostAddress;
import dev.pgproxy.config.SlowSettings;
import dev.pgproxy.insight.IndexTrial;
import dev.pgproxy.insight.Sample;
import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.frame.BackendType;
import dev.pgproxy.protocol.frame.FrameReader;
import dev.pgproxy.protocol.frontend.FrontendWriter;
import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoop;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Collections;
import java.util.Deque;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Asks for the plan of a statement as its user, with what its session had set, in a read-only transaction that is rolled back:
 * on a replica if there is one that can be asked, since such a transaction stays where its first statement goes. A statement with
 * parameters gets the plan that is good for any values. Confined to its loop.
 */
final class PlanSession extends InsideSession {
    private static final String NAME = "pgproxy_plan";
    private static final String INDEX_NAME = "pgproxy_index";

    /** The planner waits for locks no longer: who holds one, or wants one that excludes all others, is not to notice. */
    private static final long LOCK_MILLIS = 100;

    private final Sample sample;
    private final SlowSettings settings;
    private final @Nullable HypotheticalIndex index;
    private final Deque<Runnable> steps = new ArrayDeque<>();
    private Consumer<String> answer = PlanSession::forget;
    private int parameters;
    private boolean trying;
    private String json = "";
    private String how = "sampled";
    private @Nullable HostAddress host;

    /** @param index SQL of an index that the planner is to be asked of as well; null = none */
    PlanSession(Sample sample, SlowSettings settings, @Nullable String index, EventLoop loop, Listener listener) {
        super(loop, listener);
        this.sample = sample;
        this.settings = settings;
        this.index = index == null ? null : new HypotheticalIndex(index);
    }

    private static void forget(String value) {}

    void begin(ClientServices services) {
        sample.settings().forEach(sql -> steps.add(() -> send(sql)));
        steps.add(() -> send("SET client_encoding = 'UTF8'"));
        steps.add(() -> send("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"));
        steps.add(() -> send("/* pgproxy: replica */ SELECT 1"));
        steps.add(() ->
                send("SET LOCAL statement_timeout = " + settings.planTimeout().toMillis()
                        + "; SET LOCAL lock_timeout = " + LOCK_MILLIS
                        + (sample.isPrepared() ? "; SET LOCAL plan_cache_mode = force_generic_plan" : "")));
        explain(steps, NAME, "", settings.planAnalyze(), plan -> json = plan);
        steps.add(() -> {
            host = client().host();
            next();
        });
        if (index != null) {
            tryIndex(index);
        }
        steps.add(() -> send("ROLLBACK"));
        begin(services, sample.user(), sample.database(), Map.of());
    }

    @Override
    void next() {
        answer = PlanSession::forget;
        Runnable step = steps.poll();
        if (step == null) {
            end(KEPT);
        } else {
            step.run();
        }
    }

    /** What goes wrong with the index is no reason to have no plan. */
    private void tryIndex(HypotheticalIndex tried) {
        steps.add(() -> {
            trying = true;
            send("SAVEPOINT " + INDEX_NAME);
        });
        steps.add(() -> ask(HypotheticalIndex.FIND, tried::found));
        Deque<Runnable> trial = new ArrayDeque<>();
        trial.add(() -> ask(tried.create(), tried::created));
        // a text of its own: the plan that a server keeps for it, with an index that is none, is never executed
        explain(trial, INDEX_NAME, "/* hypopg " + System.nanoTime() + " */ ", false, tried::planned);
        steps.add(() -> goOn(tried, trial));
        steps.add(() -> {
            trying = false;
            send("ROLLBACK TO SAVEPOINT " + INDEX_NAME);
        });
        steps.add(() -> {
            if (tried.isThere()) {
                send(tried.drop());
            } else {
                next();
            }
        });
    }

    private void goOn(HypotheticalIndex tried, Deque<Runnable> trial) {
        Runnable step = tried.isFailed() ? null : trial.poll();
        if (step == null) {
            next();
        } else {
            steps.addFirst(() -> goOn(tried, trial));
            step.run();
        }
    }

    @Override
    boolean survives(ErrorFields failure) {
        if (trying && index != null) {
            index.fail(failure.code());
        }
        return trying;
    }

    /** What the row of its answer has first goes there. */
    private void ask(String query, Consumer<String> to) {
        answer = to;
        send(query);
    }

    /** Two steps for what has parameters, and one for what has none. */
    private void explain(Deque<Runnable> in, String name, String comment, boolean analyze, Consumer<String> to) {
        byte[] before = comment.getBytes(StandardCharsets.UTF_8);
        if (sample.isPrepared()) {
            how = "generic";
            in.add(() -> parse(name, before));
            in.add(() -> ask("EXPLAIN (FORMAT JSON) EXECUTE " + name + nulls(), to));
        } else {
            in.add(() -> explainText(before, analyze, to));
        }
    }

    private String nulls() {
        return parameters == 0 ? "" : "(" + String.join(",", Collections.nCopies(parameters, "NULL")) + ")";
    }

    private void parse(String as, byte[] before) {
        ByteBuf out = buffer();
        byte[] name = as.getBytes(StandardCharsets.US_ASCII);
        FrontendWriter.parse(out, name, concat(before, sample.body(), 0));
        FrontendWriter.describe(out, FrontendWriter.STATEMENT, name);
        FrontendWriter.sync(out);
        send(out);
    }

    /** In the extended protocol, where a text of several statements is an error. */
    private void explainText(byte[] before, boolean analyze, Consumer<String> to) {
        boolean executes = analyze && client().isRead(sample.shape());
        how = executes ? "analyzed" : how;
        byte[] explain =
                ("EXPLAIN (FORMAT JSON" + (executes ? ", ANALYZE" : "") + ") ").getBytes(StandardCharsets.UTF_8);
        ByteBuf out = buffer();
        FrontendWriter.parse(
                out, new byte[0], concat(concat(before, explain, 0), sample.body(), 3)); // the zero, and no types
        FrontendWriter.bind(out, "", "");
        FrontendWriter.execute(out, "");
        FrontendWriter.sync(out);
        answer = to;
        send(out);
    }

    private static byte[] concat(byte[] first, byte[] second, int zeros) {
        byte[] whole = Arrays.copyOf(first, first.length + second.length + zeros);
        System.arraycopy(second, 0, whole, first.length, second.length);
        return whole;
    }

    @Override
    void row(ByteBuf buf, int index) {
        int at = index + FrameReader.HEADER + Short.BYTES;
        int length = buf.getInt(at);
        if (length > 0) {
            answer.accept(buf.toString(at + Integer.BYTES, length, StandardCharsets.UTF_8));
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

    /** What came of the index; null if there was none to be tried. Once it has ended. */
    @Nullable
    IndexTrial trial() {
        return index == null ? null : index.trial(json);
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
