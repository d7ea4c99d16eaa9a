package dev.pgproxy.query;

import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.session.Session;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import java.util.Set;

/**
 * An exchange that a replica answers, from the moment it is sent until its first row has come: until then the client gets
 * nothing of the answer, so that the primary can answer in the replica's place. Confined to the client's loop.
 */
final class Trial {
    /** What the client itself, its time-outs or its administrator have asked for: the primary would be asked in vain. */
    private static final Set<String> FINAL = Set.of("57014", "55P03");

    private final Session session;
    private final HeldReplies held;
    private Exchange kept = new Exchange();
    private boolean running;
    private boolean failed;
    private boolean told;
    private String reason = "";

    Trial(Session session, Channel client) {
        this.session = session;
        this.held = new HeldReplies(client, true);
    }

    /**
     * Keeps an exchange that is about to be sent to a replica, and returns the one to collect the next in.
     *
     * @param refused whether its client wants to be told if the replica breaks it
     */
    Exchange keep(Exchange exchange, boolean refused) {
        told = refused;
        Exchange free = kept;
        kept = exchange;
        running = true;
        held.begin();
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
        return failed || held.holds(buf, index, length);
    }

    /** An error has come; true if the client is not to hear of it: the primary will be asked. */
    boolean fails(ErrorFields error) {
        if (!held.isHolding() || FINAL.contains(error.code()) || told && isBroken(error.code())) {
            held.pass();
            return false;
        }
        failed(error.code());
        return true;
    }

    /** Whether it is the replica's fault, not that of whoever sent the exchange there. */
    private static boolean isBroken(String sqlState) {
        return sqlState.startsWith("08") || sqlState.startsWith("57P") || sqlState.startsWith("40");
    }

    /** The connection is lost; true if the primary can be asked. */
    boolean loses() {
        if (!held.isHolding() || told) {
            return false;
        }
        failed("08006");
        return true;
    }

    private void failed(String code) {
        failed = true;
        reason = code;
        held.drop();
    }

    /** The exchange once more, for the primary; statements that it has made on the way are unmade. Returns a free one. */
    Exchange retry(Exchange free) {
        Exchange again = kept;
        kept = free;
        failed = false;
        running = false;
        again.unparse(session);
        return again;
    }

    /** The replica has answered. */
    void end() {
        if (running) {
            held.pass();
            running = false;
            kept.clear();
        }
    }

    /** The client has gone. */
    void close() {
        running = false;
        failed = false;
        held.drop();
        kept.clear();
    }
}
