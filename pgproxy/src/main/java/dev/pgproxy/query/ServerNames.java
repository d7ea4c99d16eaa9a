package dev.pgproxy.query;

import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.session.Session;
import dev.pgproxy.session.SharedStatements;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Puts a client's own names for prepared statements back where a server's error gives the shared ones. Stateless. */
final class ServerNames {
    private static final Pattern GENERATED = Pattern.compile(SharedStatements.PREFIX + "[0-9a-z]+");

    private ServerNames() {}

    /** The error in the client's words, or null if it is so already. */
    static @Nullable ErrorFields restore(ErrorFields error, Session session) {
        if (!error.message().contains(SharedStatements.PREFIX)) {
            return null;
        }
        Matcher matcher = GENERATED.matcher(error.message());
        StringBuilder message = new StringBuilder();
        while (matcher.find()) {
            String own = session.statements().nameOf(matcher.group());
            matcher.appendReplacement(message, Matcher.quoteReplacement(own == null ? matcher.group() : own));
        }
        matcher.appendTail(message);
        Map<Character, String> fields = new LinkedHashMap<>(error.fields());
        fields.put('M', message.toString());
        return new ErrorFields(fields);
    }
}
