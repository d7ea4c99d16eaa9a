package dev.pgproxy.query;

import dev.pgproxy.server.ServerConnection;
import io.netty.buffer.ByteBuf;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Puts what goes to a server together: neighbouring raw messages become one slice of the buffer they came in, short
 * pieces between rewritten ones are copied, so that an exchange is one write where possible. One per client, for one server
 * after the other; empty between exchanges. Confined to the client's loop.
 */
final class ServerWriter {
    /** Raw bytes up to this many are copied when something rewritten precedes them. */
    private static final int SHORT = 4096;

    private static final int START = 256;

    private @Nullable ServerConnection server;
    private @Nullable ByteBuf run;
    private int runStart;
    private int runEnd;
    private @Nullable ByteBuf made;

    /** What follows goes there. */
    void begin(ServerConnection granted) {
        server = granted;
    }

    /** Where it goes. */
    ServerConnection server() {
        return Objects.requireNonNull(server);
    }

    /** The reply to what was put in last, as {@link ServerConnection#expect}. */
    void expect(int entry, @Nullable Object note) {
        server().expect(entry, note);
    }

    /** A piece as it came. */
    void raw(ByteBuf buf, int index, int length) {
        if (run == buf && runEnd == index) {
            runEnd += length;
            return;
        }
        endRun();
        run = buf;
        runStart = index;
        runEnd = index + length;
    }

    /** Where to write a message of ours or a rewritten one. */
    ByteBuf made() {
        endRun();
        if (made == null) {
            made = server().channel().alloc().buffer(START);
        }
        return made;
    }

    /** Sends what is left. */
    void finish() {
        endRun();
        send();
    }

    private void endRun() {
        ByteBuf buf = run;
        if (buf == null) {
            return;
        }
        run = null;
        int length = runEnd - runStart;
        if (made != null && length <= SHORT) {
            made.writeBytes(buf, runStart, length);
            return;
        }
        send();
        if (runStart == buf.readerIndex() && runEnd == buf.writerIndex()) {
            server().write(buf.retain());
        } else {
            server().write(buf.retainedSlice(runStart, length));
        }
    }

    private void send() {
        if (made != null) {
            server().write(made);
            made = null;
        }
    }
}
