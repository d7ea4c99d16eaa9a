package dev.pgproxy.query;

import dev.pgproxy.protocol.frame.CString;
import dev.pgproxy.protocol.frame.FrameReader;
import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.protocol.sql.SessionEffect;
import dev.pgproxy.protocol.sql.SessionEffect.SetConfig.Argument;
import dev.pgproxy.protocol.sql.StatementFacts;
import dev.pgproxy.protocol.sql.TimeInput;
import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the values of a Bind message mean for its text: they are put into {@code set_config($1, $2, …)}, and may stand for the
 * moment. Text format only; values of other formats stay unknown. Stateless.
 *
 * <pre>
 *   B, Int32 length, String portal, String statement, Int16 formats, Int16 each, Int16 values, (Int32 length, bytes) each
 * </pre>
 */
final class BoundValues {
    private BoundValues() {}

    /** The facts with values, or the same facts where there is nothing to put in. */
    static QueryFacts resolve(QueryFacts facts, ByteBuf buf, int index, int length) {
        if (facts.statementCount() != 1
                || !(facts.statements().getFirst().effect() instanceof SessionEffect.SetConfig config)) {
            return facts;
        }
        List<@Nullable Argument> values = values(buf, index, index + length);
        List<SessionEffect.SetConfig.Call> calls = new ArrayList<>();
        for (SessionEffect.SetConfig.Call call : config.calls()) {
            calls.add(new SessionEffect.SetConfig.Call(
                    put(call.name(), values), put(call.value(), values), put(call.isLocal(), values)));
        }
        StatementFacts statement = facts.statements().getFirst();
        return QueryFacts.of(statement.withEffect(new SessionEffect.SetConfig(calls)));
    }

    /** Whether a value of a whole Bind whose names are well-formed, in text format, may stand for the moment. */
    static boolean haveTimeInput(ByteBuf buf, int index, int length) {
        if (!mayHaveWords(buf, index, index + length)) {
            return false;
        }
        for (Argument value : values(buf, index, index + length)) {
            if (value instanceof Argument.Text text && TimeInput.isIn(text.text())) {
                return true;
            }
        }
        return false;
    }

    /** Whether a letter is there without which there is neither now nor today, tomorrow or yesterday: most are numbers. */
    private static boolean mayHaveWords(ByteBuf buf, int index, int end) {
        int i = CString.end(buf, index + FrameReader.HEADER, end) + 1;
        i = CString.end(buf, i, end) + 1;
        for (; i < end; i++) {
            switch (buf.getByte(i) | 0x20) {
                case 'n', 't', 'y' -> {
                    return true;
                }
                default -> {}
            }
        }
        return false;
    }

    private static Argument put(Argument argument, List<@Nullable Argument> values) {
        if (argument instanceof Argument.Parameter parameter) {
            int n = parameter.number() - 1;
            Argument value = n >= 0 && n < values.size() ? values.get(n) : null;
            return value == null ? new Argument.Unknown() : value;
        }
        return argument;
    }

    private static List<@Nullable Argument> values(ByteBuf buf, int index, int end) {
        List<@Nullable Argument> values = new ArrayList<>();
        int i = CString.end(buf, index + FrameReader.HEADER, end) + 1;
        i = CString.end(buf, i, end) + 1;
        int formats = i + 2 <= end ? buf.getUnsignedShort(i) : 0;
        int formatsAt = i + 2;
        i = formatsAt + 2 * formats;
        int count = i + 2 <= end ? buf.getUnsignedShort(i) : 0;
        i += 2;
        for (int n = 0; n < count && i + 4 <= end; n++) {
            int size = buf.getInt(i);
            i += 4;
            int format = formats == 0 ? 0 : buf.getShort(formatsAt + (formats == 1 ? 0 : 2 * n));
            if (size < 0) {
                values.add(new Argument.Null());
                continue;
            }
            if (size > end - i) {
                break;
            }
            values.add(format == 0 ? new Argument.Text(buf.toString(i, size, StandardCharsets.UTF_8)) : null);
            i += size;
        }
        return values;
    }
}
