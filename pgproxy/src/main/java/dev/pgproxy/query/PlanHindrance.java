package dev.pgproxy.query;

import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.session.Session;

/** Why there can be no plan of a text. Stateless. */
final class PlanHindrance {
    private static final int LONGEST = 1 << 16;

    private PlanHindrance() {}

    /** Empty if there can be one. */
    static String of(QueryFacts facts, byte[] body, Session session) {
        if (facts.statementCount() != 1) {
            return "several statements in one text";
        }
        if (body.length > LONGEST) {
            return "the text is too long";
        }
        if (!isAscii(body) && !"UTF8".equals(session.reported().get("client_encoding"))) {
            return "client_encoding is not UTF8";
        }
        return switch (facts.kind()) {
            case SELECT, VALUES, TABLE, WITH, INSERT, UPDATE, DELETE, MERGE -> "";
            default -> "such a statement has no plan";
        };
    }

    private static boolean isAscii(byte[] text) {
        for (byte b : text) {
            if (b < 0) {
                return false;
            }
        }
        return true;
    }
}
