package dev.pgproxy.query;

import dev.pgproxy.protocol.frontend.FrontendWriter;
import dev.pgproxy.results.HotRead;
import dev.pgproxy.results.HotReads;
import dev.pgproxy.session.ClientStatements;
import dev.pgproxy.session.Session;
import dev.pgproxy.session.Settings;
import dev.pgproxy.session.UnnamedStatement;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Makes of a client's read messages that ask for the same once more, and for everything that any client with the same key
 * may want to be told with it.
 */
final class Repetition {
    private static final byte[] STATEMENT = "hot".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] UNNAMED = {};

    private Repetition() {}

    /** The read of an exchange; null if it is too long to be remembered. */
    static @Nullable HotRead of(Exchange exchange, OneRead read, Session session) {
        byte[] statement = read.isSimple() ? UNNAMED : statement(exchange, read, session);
        int asked = read.isSimple() ? 0 : read.bind();
        if (statement == null || statement.length + exchange.length(asked) > HotReads.LONGEST) {
            return null;
        }
        ByteBuf out = Unpooled.buffer();
        if (read.isSimple()) {
            out.writeBytes(exchange.buffer(0), exchange.index(0), exchange.length(0));
        } else {
            extended(exchange, read.bind(), statement, out);
        }
        byte[] messages = new byte[out.readableBytes()];
        out.readBytes(messages);
        Settings settings = session.settings().get();
        List<String> set = new ArrayList<>();
        settings.names().forEach(name -> set.add(Objects.requireNonNull(settings.get(name))));
        return new HotRead(session.database(), session.user(), set, messages);
    }

    /** What is behind the name in the Parse of the statement that is bound; null if it is not known. */
    private static byte @Nullable [] statement(Exchange exchange, OneRead read, Session session) {
        if (read.parse() >= 0) {
            return exchange.parsedRest(read.parse());
        }
        ClientStatements.Entry named = read.entry();
        if (named != null) {
            return named.statement().rest();
        }
        UnnamedStatement unnamed = session.unnamed();
        return unnamed == null ? null : unnamed.rest();
    }

    private static void extended(Exchange exchange, int bind, byte[] statement, ByteBuf out) {
        FrontendWriter.parse(out, STATEMENT, statement);
        FrontendWriter.describe(out, FrontendWriter.STATEMENT, STATEMENT);
        ByteBuf buf = exchange.buffer(bind);
        int end = exchange.index(bind) + exchange.length(bind);
        int values = exchange.valuesAt(bind);
        FrontendWriter.bind(out, STATEMENT, buf, values, end - values);
        FrontendWriter.describe(out, FrontendWriter.PORTAL, UNNAMED);
        FrontendWriter.execute(out);
        FrontendWriter.sync(out);
    }
}
