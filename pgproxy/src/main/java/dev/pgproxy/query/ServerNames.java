package dev.pgproxy.query;

import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.backend.SqlState;
import dev.pgproxy.session.ClientStatements;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Puts the client's own name for a prepared statement back where the error of a Bind or Describe gives the shared one:
 * in quotes of whatever language, in the two errors that name it (src/backend/tcop/postgres.c, exec_bind_message;
 * src/backend/commands/prepare.c, FetchPreparedStatement). Stateless.
 */
final class ServerNames {
    private static final String QUOTE = "[\"\u2018-\u201f\u00ab\u00bb\u300c\u300d\u300e\u300f]";

    private ServerNames() {}

    /**
     * The error in the client's words, or null if it is so already.
     *
     * @param note of the message that failed: the client's statement if it was sent under the shared name
     */
    static @Nullable ErrorFields restore(ErrorFields error, @Nullable Object note) {
        if (!(note instanceof ClientStatements.Entry entry) || !namesStatement(error.code())) {
            return null;
        }
        String shared = new String(entry.statement().name(), StandardCharsets.UTF_8);
        String own = entry.name();
        if (shared.equals(own)) {
            return null;
        }
        Matcher quoted = Pattern.compile("(?<=" + QUOTE + "\\h?)" + Pattern.quote(shared) + "(?=\\h?" + QUOTE + ")")
                .matcher(error.message());
        if (!quoted.find()) {
            return null;
        }
        Map<Character, String> fields = new LinkedHashMap<>(error.fields());
        fields.put('M', quoted.replaceFirst(Matcher.quoteReplacement(own)));
        return new ErrorFields(fields);
    }

    private static boolean namesStatement(String code) {
        return code.equals(SqlState.PROTOCOL_VIOLATION.code()) || code.equals(SqlState.UNDEFINED_STATEMENT.code());
    }
}
