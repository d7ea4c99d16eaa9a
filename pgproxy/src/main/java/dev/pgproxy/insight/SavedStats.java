package dev.pgproxy.insight;

import dev.pgproxy.config.HostAddress;
import dev.pgproxy.insight.StatementStats.Counter;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * What was counted, as bytes that another process can read. Stateless.
 *
 * <p>{@code UTF "pgproxy query stats 1"}, Int32 number of statements, and each: UTF fingerprint, text, database, user,
 * application, host (empty = none), Int64 for each counter but the last (when it was seen last), Int64 when it was seen first
 * and last, in milliseconds since 1970, Int32 number of SQLSTATEs, each UTF and Int64, Int32 number of buckets, each Int32 and
 * Int32. Then Int64 CRC32C of all that. UTF as in {@link java.io.DataOutput}.
 */
public final class SavedStats {
    private static final String HEAD = "pgproxy query stats 1";
    private static final int CHECKSUM = Long.BYTES;
    private static final int MOST_STATES = 100;

    private SavedStats() {}

    /** As bytes. */
    public static byte[] bytes(List<StatementStats> all) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        out.writeUTF(HEAD);
        out.writeInt(all.size());
        long nanos = System.nanoTime();
        long millis = System.currentTimeMillis();
        for (StatementStats each : all) {
            write(each, out, millis - nanos / 1_000_000);
        }
        out.writeLong(checksum(bytes.toByteArray(), bytes.size()));
        return bytes.toByteArray();
    }

    /** @param offset milliseconds since 1970 when System.nanoTime was 0 */
    private static void write(StatementStats each, DataOutputStream out, long offset) throws IOException {
        StatementKey key = each.key();
        out.writeUTF(each.fingerprint());
        out.writeUTF(each.text());
        out.writeUTF(key.caller().database());
        out.writeUTF(key.caller().user());
        out.writeUTF(key.caller().application());
        out.writeUTF(key.host() == null ? "" : key.host().toString());
        for (Counter counter : Counter.values()) {
            if (counter != Counter.LAST_SEEN) {
                out.writeLong(each.get(counter));
            }
        }
        out.writeLong(offset + each.firstSeen() / 1_000_000);
        out.writeLong(offset + each.get(Counter.LAST_SEEN) / 1_000_000);
        each.errors().write(out);
        each.latencies().write(out);
    }

    /**
     * The statements in it.
     *
     * @param most so many, the first
     * @throws IOException if it is damaged, or of another version
     */
    public static List<StatementStats> parse(byte[] bytes, int most) throws IOException {
        int end = bytes.length - CHECKSUM;
        DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes));
        try {
            if (!in.readUTF().equals(HEAD)) {
                throw new IOException("it was not written by this version");
            }
            if (readLong(bytes, end) != checksum(bytes, end)) {
                throw new IOException("it is damaged");
            }
            long offset = System.nanoTime() / 1_000_000 - System.currentTimeMillis();
            List<StatementStats> all = new ArrayList<>();
            for (int left = Math.min(most, in.readInt()); left > 0; left--) {
                all.add(read(in, offset));
            }
            return all;
        } catch (EOFException e) {
            throw new IOException("it is damaged", e);
        }
    }

    private static StatementStats read(DataInputStream in, long offset) throws IOException {
        String fingerprint = in.readUTF();
        String text = in.readUTF();
        Caller caller = new Caller(in.readUTF(), in.readUTF(), in.readUTF());
        String address = in.readUTF();
        @Nullable HostAddress host = address.isEmpty() ? null : HostAddress.parse(address);
        long[] counters = new long[Counter.values().length];
        for (int i = 0; i < counters.length - 1; i++) {
            counters[i] = in.readLong();
        }
        long first = (offset + in.readLong()) * 1_000_000;
        counters[counters.length - 1] = (offset + in.readLong()) * 1_000_000;
        StatementStats each = StatementStats.saved(fingerprint, text, caller, host, first);
        each.add(counters);
        SqlStates errors = SqlStates.NONE;
        for (int left = Math.min(MOST_STATES, in.readInt()); left > 0; left--) {
            errors = errors.with(in.readUTF(), in.readLong());
        }
        each.add(errors);
        each.latencies().read(in);
        return each;
    }

    private static long readLong(byte[] bytes, int at) throws IOException {
        return new DataInputStream(new ByteArrayInputStream(bytes, Math.max(0, at), CHECKSUM)).readLong();
    }

    private static long checksum(byte[] bytes, int length) {
        CRC32C checksum = new CRC32C();
        checksum.update(bytes, 0, Math.max(0, length));
        return checksum.getValue();
    }
}
