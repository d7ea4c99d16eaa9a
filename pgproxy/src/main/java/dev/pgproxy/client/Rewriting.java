package dev.pgproxy.client;

import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.protocol.sql.StatementFacts;
import dev.pgproxy.protocol.sql.StatementFlags;
import dev.pgproxy.rules.Rule;
import dev.pgproxy.rules.StatementRules;
import dev.pgproxy.session.Session;
import io.netty.buffer.ByteBuf;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What rules of the configuration make of a client's statements before anything else looks at them: servers, the cache and
 * the session's books know only what was put in their place. Confined to the client's loop.
 */
final class Rewriting {
    private final StatementRules rules;
    private final Session session;

    Rewriting(StatementRules rules, Session session) {
        this.rules = rules;
        this.session = session;
    }

    /** Whether there is anything to do. */
    boolean isOn() {
        return rules.rewrite();
    }

    /**
     * The message that takes the place of a Query or Parse, for the caller to release; null if it stays as it is.
     *
     * @param facts of its text
     */
    @Nullable
    ByteBuf of(QueryFacts facts, ByteBuf message) {
        if (facts.has(StatementFlags.OPAQUE) || facts.statementCount() == 0) {
            return null;
        }
        StatementRules.Fitting fitting = rules.known(facts);
        if (fitting != null && fitting.isEmpty()) {
            return null;
        }
        StatementMessage original = StatementMessage.of(message);
        if (fitting == null) {
            fitting = rules.find(facts, original.text(), session.reported().isConforming());
        }
        byte[] text = fitting.isEmpty() ? null : rewritten(facts.statements(), original.text(), fitting);
        return text == null ? null : original.with(text);
    }

    private byte @Nullable [] rewritten(List<StatementFacts> statements, byte[] text, StatementRules.Fitting fitting) {
        String application = session.application();
        Charset charset = "UTF8".equals(session.reported().get("client_encoding"))
                ? StandardCharsets.UTF_8
                : StandardCharsets.US_ASCII; // which all encodings of PostgreSQL contain, or nothing is rewritten
        ByteArrayOutputStream made = new ByteArrayOutputStream(text.length);
        int told = 0;
        for (int i = 0; i < statements.size(); i++) {
            StatementFacts statement = statements.get(i);
            Rule rule = fitting.rewriting(i, session.user(), session.database(), application);
            int end = statement.endIn(text.length);
            byte[] other = rule == null ? null : rewritten(rule, text, statement.start(), end, charset);
            if (rule != null && other != null) {
                rule.count();
                made.write(text, told, statement.start() - told);
                made.writeBytes(other);
                told = end;
            }
        }
        if (told == 0) {
            return null;
        }
        made.write(text, told, text.length - told);
        return made.toByteArray();
    }

    private static byte @Nullable [] rewritten(Rule rule, byte[] text, int start, int end, Charset charset) {
        try {
            String statement = charset.newDecoder()
                    .decode(ByteBuffer.wrap(text, start, end - start))
                    .toString();
            String other = rule.rewritten(statement);
            if (other == null) {
                return null;
            }
            ByteBuffer encoded = charset.newEncoder().encode(CharBuffer.wrap(other));
            byte[] bytes = new byte[encoded.remaining()];
            encoded.get(bytes);
            return bytes;
        } catch (CharacterCodingException e) {
            return null;
        }
    }
}
