package dev.pgproxy.query;

import dev.pgproxy.protocol.backend.BackendWriter;
import dev.pgproxy.protocol.backend.ConstantReplies;
import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.frame.CString;
import dev.pgproxy.protocol.frame.FrameReader;
import dev.pgproxy.protocol.frame.FrontendType;
import dev.pgproxy.protocol.frontend.FrontendWriter;
import dev.pgproxy.session.Session;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;

/** Answers exchanges that need no server: closing prepared statements, a Sync with nothing before it. Stateless. */
final class LocalAnswer {
    private LocalAnswer() {}

    /** Answers an exchange that has nothing else, and forgets it; false if it has. */
    static boolean gives(Exchange exchange, boolean ownsStatements, Session session, Channel to) {
        if (!suffices(exchange, ownsStatements)) {
            return false;
        }
        give(exchange, session, to);
        exchange.clear();
        return true;
    }

    private static boolean suffices(Exchange exchange, boolean ownsStatements) {
        for (int i = 0; i < exchange.size(); i++) {
            byte type = exchange.type(i);
            boolean empty = (type == FrontendType.SYNC || type == FrontendType.FLUSH)
                    && exchange.length(i) == FrameReader.HEADER;
            if (!empty && !(ownsStatements && type == FrontendType.CLOSE && isStatement(exchange, i))) {
                return false;
            }
        }
        return true;
    }

    private static boolean isStatement(Exchange exchange, int i) {
        ByteBuf buf = exchange.buffer(i);
        int kind = exchange.index(i) + FrameReader.HEADER;
        int end = exchange.index(i) + exchange.length(i);
        return end > kind + 1
                && buf.getByte(kind) == FrontendWriter.STATEMENT
                && CString.find(buf, kind + 1, end) == end - 1;
    }

    /** Writes the answer and flushes it; the session's books are changed. */
    private static void give(Exchange exchange, Session session, Channel to) {
        ByteBuf out = to.alloc().buffer();
        for (int i = 0; i < exchange.size(); i++) {
            if (exchange.type(i) == FrontendType.CLOSE) {
                close(exchange, i, session, out);
            } else if (exchange.type(i) == FrontendType.SYNC) {
                BackendWriter.readyForQuery(out, session.status());
            }
        }
        to.writeAndFlush(out);
    }

    /** How many messages at the beginning close statements. */
    static int closes(Exchange exchange) {
        int at = 0;
        while (at < exchange.size() && exchange.type(at) == FrontendType.CLOSE && isStatement(exchange, at)) {
            at++;
        }
        return at;
    }

    /** Carries out and answers a Close of a statement. */
    static void close(Exchange exchange, int i, Session session, ByteBuf out) {
        int nameAt = exchange.index(i) + FrameReader.HEADER + 1;
        String name = CString.read(exchange.buffer(i), nameAt, exchange.index(i) + exchange.length(i));
        if (name.isEmpty()) {
            session.unnamed(null);
        } else {
            session.statements().remove(name);
            session.sqlStatements().remove(name);
        }
        out.writeBytes(ConstantReplies.CLOSE_COMPLETE.duplicate());
    }

    /** Answers an exchange with an error of ours, and ReadyForQuery where that is due, and forgets it. */
    static void refuse(Exchange exchange, ErrorFields error, Session session, ClientLink link) {
        ByteBuf out = link.channel().alloc().buffer();
        error.write(out);
        if (exchange.isEnded()) {
            BackendWriter.readyForQuery(out, session.status());
        } else {
            link.skipToSync();
        }
        if (exchange.replacesUnnamed()) {
            session.unnamed(null); // PostgreSQL drops the last one before it looks at the next
        }
        exchange.clear();
        link.channel().writeAndFlush(out);
    }
}
