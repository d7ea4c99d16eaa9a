package dev.pgproxy;

import dev.pgproxy.results.HotRead;
import dev.pgproxy.results.HotReads;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where what clients ask most often is kept for the next start. There are their values in it, and whoever could write it
 * could have any user's queries asked: nobody but its owner may read or write it. Thread-safe.
 *
 * <p>{@code UTF "pgproxy hot reads 1"}, Int32 number of reads, and each: UTF database, UTF user, Int32 number of settings, UTF
 * each of these, Int32 length of the messages, these; UTF as in {@link java.io.DataOutput}.
 */
final class HotFile {
    private static final Logger LOG = LoggerFactory.getLogger(HotFile.class);
    private static final String HEAD = "pgproxy hot reads 1";
    private static final long LONGEST = 64 << 20;

    private final Path path;
    private final PrivateFile file;

    HotFile(Path path) {
        this.path = path;
        this.file = new PrivateFile(path);
    }

    /** What is in it; empty, with a line in the log, if it cannot be used. */
    List<HotRead> read() {
        try {
            byte[] bytes = file.read(LONGEST);
            return bytes == null ? List.of() : parse(bytes);
        } catch (IOException | RuntimeException e) {
            LOG.warn("cache_warm_file {} is not used: {}", path, e.getMessage());
            return List.of();
        }
    }

    static List<HotRead> parse(byte[] bytes) throws IOException {
        DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes));
        if (!in.readUTF().equals(HEAD)) {
            throw new IOException("it was not written by this version");
        }
        List<HotRead> reads = new ArrayList<>();
        for (int left = in.readInt(); left > 0; left--) {
            String database = in.readUTF();
            String user = in.readUTF();
            List<String> settings = new ArrayList<>();
            for (int more = in.readInt(); more > 0; more--) {
                settings.add(in.readUTF());
            }
            int length = in.readInt();
            if (length <= 0 || length > 2 * HotReads.LONGEST) {
                throw new IOException("it is damaged");
            }
            byte[] messages = new byte[length];
            in.readFully(messages);
            reads.add(new HotRead(database, user, settings, messages));
        }
        return reads;
    }

    static byte[] bytes(List<HotRead> reads) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        out.writeUTF(HEAD);
        out.writeInt(reads.size());
        for (HotRead read : reads) {
            out.writeUTF(read.database());
            out.writeUTF(read.user());
            out.writeInt(read.settings().size());
            for (String setting : read.settings()) {
                out.writeUTF(setting);
            }
            out.writeInt(read.messages().length);
            out.write(read.messages());
        }
        return bytes.toByteArray();
    }

    /** Replaces it, as a whole or not at all. */
    void write(List<HotRead> reads) {
        try {
            file.write(bytes(reads));
        } catch (IOException e) {
            LOG.warn("cache_warm_file {} cannot be written: {}", path, e.toString());
        }
    }
}
