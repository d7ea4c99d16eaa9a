package dev.pgproxy.query;

import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.frame.BackendType;
import dev.pgproxy.protocol.frame.FrameReader;
import dev.pgproxy.protocol.frame.FrontendType;
import dev.pgproxy.session.Session;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * An exchange that a replica answers, from the moment it is sent until its first row has come: until then the client gets
 * nothing of the answer, so that the primary can answer in the replica's place. Confined to the client's loop.
 */
final class Trial {
    /** What the client itself, its time-outs or its administrator have asked for: the primary would be asked in vain. */
    private static final Set<String> FINAL = Set.of("57014", "55P03");

    private final Session session;
    private final Channel client;
    private final List<ByteBuf> held = new ArrayList<>(2);
    private Exchange kept = new Exchange();
    private boolean running;
    private boolean holding;
    private boolean failed;
    private String reason = "";

    Trial(Session session, Channel client) {
        this.session = session;
        this.client = client;
    }

    /** Keeps an exchange that is about to be sent to a replica, and returns the one to collect the next in. */
    Exchange keep(Exchange exchange) {
        Exchange free = kept;
        kept = exchange;
        running = true;
        holding = true;
        failed = false;
        return free;
    }

    /** Whether a replica has still to finish its answer. */
    boolean isRunning() {
        return running;
    }

    /** Whether the replica has failed, and {@link #retry} has not been called. */
    boolean hasFailed() {
        return failed;
    }

    /** What it failed with: a SQLSTATE. */
    String reason() {
        return reason;
    }

    /** Bytes for the client; true if they are held back, or not for the client at all. */
    boolean holds(ByteBuf buf, int index, int length) {
        if (failed) {
            return true;
        }
        if (!holding) {
            return false;
        }
        if (isPreface(buf, index, index + length)) {
            held.add(buf.retainedSlice(index, length));
            return true;
        }
        pass();
        return false;
    }

    /** An answer of ours that stands in the middle of the replica's. */
    boolean holds(ByteBuf constant) {
        return holds(constant, constant.readerIndex(), constant.readableBytes());
    }

    /** Whether there are only whole messages of those that come before the first row. */
    private static boolean isPreface(ByteBuf buf, int from, int to) {
        int at = from;
        while (at + FrameReader.HEADER <= to) {
            switch (buf.getByte(at)) {
                case BackendType.PARSE_COMPLETE,
                        BackendType.BIND_COMPLETE,
                        BackendType.CLOSE_COMPLETE,
                        BackendType.NO_DATA,
                        BackendType.PARAMETER_DESCRIPTION,
                        BackendType.ROW_DESCRIPTION,
                        BackendType.NOTICE_RESPONSE,
                        BackendType.PARAMETER_STATUS -> at += 1 + buf.getInt(at + 1);
                default -> {
                    return false;
                }
            }
        }
        return at == to;
    }

    private void pass() {
        holding = false;
        for (ByteBuf buf : held) {
            client.write(buf, client.voidPromise());
        }
        held.clear();
    }

    /** An error has come; true if the client is not to hear of it: the primary will be asked. */
    boolean fails(ErrorFields error) {
        if (!holding || FINAL.contains(error.code())) {
            if (holding) {
                pass();
            }
            return false;
        }
        failed(error.code());
        return true;
    }

    /** The connection is lost; true if the primary can be asked. */
    boolean loses() {
        if (!holding) {
            return false;
        }
        failed("08006");
        return true;
    }

    private void failed(String code) {
        failed = true;
        holding = false;
        reason = code;
        release();
    }

    private void release() {
        held.forEach(ByteBuf::release);
        held.clear();
    }

    /** The exchange once more, for the primary; statements that it has made on the way are unmade. Returns a free one. */
    Exchange retry(Exchange free) {
        Exchange again = kept;
        kept = free;
        failed = false;
        running = false;
        for (int i = 0; i < again.size(); i++) {
            if (again.type(i) == FrontendType.PARSE) {
                String name = again.parsedName(i);
                if (name != null && !name.isEmpty()) {
                    session.statements().remove(name);
                }
            }
        }
        return again;
    }

    /** The replica has answered. */
    void end() {
        if (running) {
            if (holding) {
                pass();
            }
            running = false;
            kept.clear();
        }
    }

    /** The client has gone. */
    void close() {
        running = false;
        holding = false;
        failed = false;
        release();
        kept.clear();
    }
}
