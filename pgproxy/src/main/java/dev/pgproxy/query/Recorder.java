package dev.pgproxy.query;

import dev.pgproxy.cache.redis.Epoch;
import dev.pgproxy.results.Dependency;
import dev.pgproxy.results.Flight;
import dev.pgproxy.results.Results;
import dev.pgproxy.session.ClientStatements;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Looks on while a client is sent the answer to one read, and keeps it for the next who asks, if it is whole and not too
 * large; or compares it with what is kept. One per client, confined to its loop.
 */
final class Recorder {
    private final Results results;
    private final SharedReads shared;
    private final ByteBufAllocator alloc;
    private boolean recording;
    private boolean simple;
    private long high;
    private long low;
    private long asOf;
    private long ttl;
    private int most;
    private @Nullable Dependency dependency;
    private ClientStatements.@Nullable Entry entry;
    private @Nullable Flight flight;

    /** What the answer is compared with; null if it is to be kept. */
    private @Nullable Shadow shadow;

    private @Nullable ByteBuf taken;

    Recorder(Results results, SharedReads shared, ByteBufAllocator alloc) {
        this.results = results;
        this.shared = shared;
        this.alloc = alloc;
    }

    /** The next answer is that to a read of this key, which is asked for at this moment, and good for so many nanoseconds. */
    void begin(ReadKey key, Dependency on, long moment, long nanos, boolean isSimple) {
        recording = true;
        high = key.high();
        low = key.low();
        dependency = on;
        asOf = moment;
        ttl = nanos;
        simple = isSimple;
        flight = results.depart(high, low, on, moment);
        most = results.worthRecording(high, low, flight);
    }

    /** The next answer is not to be kept, but held to what is. */
    void compare(Shadow with, boolean isSimple) {
        recording = true;
        simple = isSimple;
        shadow = with;
        most = with.most();
    }

    /** Whoever answers may lack a write. */
    void stale() {
        if (shadow == null) {
            end();
        } else {
            shadow.spare();
            most = shadow.most();
        }
    }

    boolean isRecording() {
        return recording;
    }

    /** It executes this named statement: what that gives is known when it is complete. */
    void executes(ClientStatements.@Nullable Entry statement) {
        entry = statement;
    }

    /** It is sent to a server. */
    void sent() {
        if (shadow != null) {
            shadow.sent();
        }
    }

    /** Bytes of the answer. */
    void forwarded(ByteBuf buf, int index, int length) {
        if (!recording) {
            return;
        }
        ByteBuf now = taken;
        int before = now == null ? 0 : now.readableBytes();
        if (before + length > most) {
            if (shadow != null) {
                most = -1;
                forget();
                return;
            }
            int worth = results.worthRecording(high, low, flight);
            if (before + length > worth) {
                results.tooLarge(high, low);
                end();
                return;
            }
            most = worth;
        }
        if (now == null) {
            // as what is read: a pool of heap that is used once in a while makes and clears 4 MB each time
            now = most <= Results.SMALL ? alloc.directBuffer(length) : alloc.heapBuffer(length);
            taken = now;
        }
        now.writeBytes(buf, index, length);
    }

    /** The whole answer has been passed on. */
    void complete() {
        ByteBuf whole = taken;
        if (recording && shadow != null) {
            shadow.answered(whole, simple);
        } else if (recording && whole != null) {
            byte[] answer = Answer.of(whole, simple);
            if (answer != null) {
                results.put(high, low, answer, whole(Objects.requireNonNull(dependency)), asOf, ttl);
            }
        }
        end();
    }

    /** With what is known only now; an epoch that has changed is none that others can go by. */
    private Dependency whole(Dependency known) {
        Epoch now = known.epoch() == null ? null : shared.epoch(known.reads());
        Dependency same = now == null || !now.equals(known.epoch()) ? known.with((Epoch) null) : known;
        return entry == null ? same : same.with(entry.gives());
    }

    /** What was sent so far is not what the client gets: another server answers. */
    void again() {
        if (taken != null) {
            taken.clear();
        }
        if (shadow != null) {
            most = shadow.most();
        }
    }

    /** It is not to be kept, or not the answer to the read at all. */
    void end() {
        if (!recording) {
            return;
        }
        recording = false;
        dependency = null;
        entry = null;
        shadow = null;
        forget();
        if (flight != null) {
            results.land(flight);
            flight = null;
        }
    }

    private void forget() {
        if (taken != null) {
            taken.release();
            taken = null;
        }
    }
}
