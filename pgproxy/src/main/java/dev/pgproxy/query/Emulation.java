package dev.pgproxy.query;

import dev.pgproxy.protocol.frame.TransactionStatus;
import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.protocol.sql.SessionEffect;
import dev.pgproxy.protocol.sql.StatementFacts;
import dev.pgproxy.server.Substitute;
import dev.pgproxy.session.PinReason;
import dev.pgproxy.session.Session;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which statements are not sent as they are, because they concern what pgproxy keeps for the session: channels and
 * prepared statements. In their place goes a statement that does nothing, takes no parameters, returns no rows, is
 * allowed wherever they are, and fails with the same error in a failed transaction. Stateless.
 */
final class Emulation {
    /** Does nothing on a connection that listens to nothing (src/backend/commands/async.c, Async_Unlisten). */
    static final String NOTHING = "UNLISTEN pgproxy";

    private Emulation() {}

    /** The body of a Parse of {@link #NOTHING} behind the name, made distinct by a comment. */
    static byte[] parseBody(String comment) {
        String text = comment.isEmpty() ? NOTHING : NOTHING + " -- " + comment.replace('\n', ' ');
        return (text + "\0\0\0").getBytes(StandardCharsets.ISO_8859_1);
    }

    /**
     * The substitute of a text, or null if it is sent as it is. A text of several statements always is: what it does is
     * found by the probe.
     *
     * @param first whether nothing of the same implicit transaction precedes it
     */
    static @Nullable Substitute of(QueryFacts facts, Session session, boolean first) {
        StatementFacts statement = facts.only();
        if (statement == null || session.status() == TransactionStatus.FAILED) {
            return null;
        }
        SessionEffect effect = statement.effect();
        if (effect == null) {
            return null;
        }
        String tag = switch (effect) {
            case SessionEffect.Listen listen -> sharesListener(session) ? "LISTEN" : null;
            case SessionEffect.Unlisten unlisten -> session.hasStateOnServer() ? null : "UNLISTEN";
            case SessionEffect.Deallocate deallocate -> deallocateTag(deallocate.name(), session);
            case SessionEffect.DiscardAll discard ->
                first && session.status() == TransactionStatus.IDLE && !session.hasStateOnServer()
                        ? "DISCARD ALL"
                        : null;
            default -> null;
        };
        return tag == null ? null : new Substitute(statement, tag);
    }

    /** Names and payloads travel in the encoding of the shared listener, UTF-8; others listen on the server itself. */
    private static boolean sharesListener(Session session) {
        String encoding = session.reported().get("client_encoding");
        boolean unicode = "UTF8".equals(encoding)
                || "SQL_ASCII".equals(encoding)
                        && Set.of("UTF8", "SQL_ASCII")
                                .contains(session.reported().get("server_encoding"));
        return unicode && !session.pins().containsKey(PinReason.LISTENING);
    }

    private static @Nullable String deallocateTag(@Nullable String name, Session session) {
        if (name == null) {
            return "DEALLOCATE ALL";
        }
        return session.hasStatement(name) ? "DEALLOCATE" : null;
    }
}
