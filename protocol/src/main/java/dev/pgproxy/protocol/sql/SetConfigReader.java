package dev.pgproxy.protocol.sql;

import dev.pgproxy.protocol.sql.SessionEffect.SetConfig.Argument;
import dev.pgproxy.protocol.sql.SessionEffect.SetConfig.Call;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Reads {@code SELECT set_config(name, value, is_local), …} where each item of the list is such a call or a plain
 * constant, and nothing follows the list. Confined to its event loop.
 */
final class SetConfigReader {
    private static final Argument UNKNOWN = new Argument.Unknown();

    void read(StatementReader in) {
        List<Call> calls = new ArrayList<>();
        if (!in.accept(Word.SELECT)) {
            in.notUnderstood();
            return;
        }
        do {
            if (!item(in, calls)) {
                in.notUnderstood();
                return;
            }
        } while (in.accept(','));
        if (!in.atEnd()) {
            in.notUnderstood();
            return;
        }
        in.effect = new SessionEffect.SetConfig(calls);
        for (Call call : calls) {
            if (call.name() instanceof Argument.Unknown
                    || call.value() instanceof Argument.Unknown
                    || call.isLocal() instanceof Argument.Unknown) {
                in.flags |= StatementFlags.UNPREDICTABLE_STATE;
            }
        }
    }

    private static boolean item(StatementReader in, List<Call> calls) {
        if (in.type() == TokenType.NUMBER || in.type() == TokenType.STRING || in.type() == TokenType.PARAMETER) {
            in.advance();
        } else {
            Call call = call(in);
            if (call == null) {
                return false;
            }
            calls.add(call);
        }
        return cast(in, false) && label(in);
    }

    private static boolean label(StatementReader in) {
        if (in.accept(Word.AS)) {
            return in.identifier() != null;
        }
        if (in.type() == TokenType.QUOTED || (in.type() == TokenType.WORD && in.isPlainName())) {
            return in.identifier() != null;
        }
        return true;
    }

    /** Passes {@code ::type} as often as it stands here; false if it could change the argument or do more. */
    private static boolean cast(StatementReader in, boolean flag) {
        while (in.type() == TokenType.TYPE_CAST) {
            in.advance();
            String type = in.identifier();
            if ("pg_catalog".equals(type) && in.accept('.')) {
                type = in.identifier();
            }
            if (type == null || !(flag ? isBoolean(type) : isText(type))) {
                return false;
            }
        }
        return true;
    }

    private static boolean isText(String type) {
        return type.equals("text") || type.equals("varchar");
    }

    private static boolean isBoolean(String type) {
        return type.equals("bool") || type.equals("boolean");
    }

    private static @Nullable Call call(StatementReader in) {
        String name = in.identifier();
        if ("pg_catalog".equals(name) && in.accept('.')) {
            name = in.identifier();
        }
        if (!"set_config".equals(name) || !in.accept('(')) {
            return null;
        }
        Argument parameter = argument(in, ',', false);
        Argument value = parameter == null ? null : argument(in, ',', false);
        Argument local = value == null ? null : argument(in, ')', true);
        if (parameter == null || value == null || local == null) {
            return null;
        }
        return new Call(
                parameter instanceof Argument.Text text ? new Argument.Text(lower(text.text())) : parameter,
                value,
                local instanceof Argument.Text text ? flag(text.text()) : local);
    }

    private static String lower(String name) {
        return name.toLowerCase(Locale.ROOT);
    }

    /** An argument and the character behind it; null if the call is not as expected. */
    private static @Nullable Argument argument(StatementReader in, char behind, boolean flag) {
        Argument argument = constant(in);
        if (cast(in, flag) && in.accept(behind)) {
            return argument;
        }
        return in.skipArgument(behind) ? UNKNOWN : null;
    }

    private static Argument constant(StatementReader in) {
        if (in.parameterNumber() >= 0) {
            Argument parameter = new Argument.Parameter(in.parameterNumber());
            in.advance();
            return parameter;
        }
        String text = in.string();
        if (text != null) {
            return new Argument.Text(text);
        }
        if (in.accept(Word.TRUE)) {
            return new Argument.Flag(true);
        }
        if (in.accept(Word.FALSE)) {
            return new Argument.Flag(false);
        }
        return in.accept(Word.NULL) ? new Argument.Null() : UNKNOWN;
    }

    /** A boolean as its input function reads it: any prefix that is not ambiguous. */
    private static Argument flag(String text) {
        String value = text.strip().toLowerCase(Locale.ROOT);
        boolean yes = !value.isEmpty() && ("true".startsWith(value) || "yes".startsWith(value));
        boolean no = !value.isEmpty() && ("false".startsWith(value) || "no".startsWith(value));
        if (yes || value.equals("on") || value.equals("1")) {
            return new Argument.Flag(true);
        }
        if (no || value.equals("of") || value.equals("off") || value.equals("0")) {
            return new Argument.Flag(false);
        }
        return UNKNOWN;
    }
}
