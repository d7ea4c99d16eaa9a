package dev.pgproxy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.OptionalLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The file that tells others the id of this process. Reads and writes a file: not for an event loop. Source: PgBouncer's
 * src/main.c (check_pidfile, write_pidfile, remove_pidfile).
 */
record PidFile(Path file) implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(PidFile.class);

    /**
     * Removes what a process has left that is gone.
     *
     * @throws IOException if that process lives, or nobody can tell
     */
    void check() throws IOException {
        if (!Files.exists(file)) {
            return;
        }
        OptionalLong holder = holder();
        // in a container each start may have the same id
        boolean gone = holder.isPresent()
                && (holder.getAsLong() == own()
                        || ProcessHandle.of(holder.getAsLong()).isEmpty());
        if (!gone) {
            throw new IOException("pidfile exists, another instance running? (" + file + ")");
        }
        LOG.info("stale pidfile, removing");
        Files.deleteIfExists(file);
    }

    /** From now on this process is the one. */
    void write() throws IOException {
        Files.writeString(file, own() + "\n", StandardCharsets.US_ASCII);
    }

    /** Removes the file, unless another process has written it since: after a handover that one goes on. */
    @Override
    public void close() {
        try {
            OptionalLong holder = holder();
            if (holder.isPresent() && holder.getAsLong() == own()) {
                Files.deleteIfExists(file);
            }
        } catch (NoSuchFileException e) {
            LOG.debug("{} was removed by somebody else", file);
        } catch (IOException e) {
            LOG.warn("pidfile {} cannot be removed: {}", file, e.toString());
        }
    }

    /** Whose id it holds; empty if it holds none. */
    private OptionalLong holder() throws IOException {
        String text = Files.readString(file, StandardCharsets.US_ASCII).strip();
        return text.matches("[1-9][0-9]{0,17}") ? OptionalLong.of(Long.parseLong(text)) : OptionalLong.empty();
    }

    private static long own() {
        return ProcessHandle.current().pid();
    }
}
