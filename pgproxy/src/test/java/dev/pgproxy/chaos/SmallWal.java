package dev.pgproxy.chaos;

import dev.pgproxy.demo.EmbeddedPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** The WAL directory of one host, on a file system of its own that can be full. Needs Linux, and the rights of root. */
final class SmallWal implements AutoCloseable {
    private static final String MOUNT = """
            set -e
            copy=$(mktemp -d)
            cp -a "$1"/. "$copy"
            mount -t tmpfs -o size=2g,mode=0700,uid=$(stat -c %u "$1"),gid=$(stat -c %g "$1") pgproxy-chaos "$1"
            cp -a "$copy"/. "$1"
            rm -rf "$copy"
            """;

    private static final String FILL = "mount -o remount,size=$(du -sk \"$1\" | cut -f1)k \"$1\"";
    private static final String EMPTY = "mount -o remount,size=2g \"$1\"";
    private static final String UNMOUNT = "umount -l \"$1\"";

    private final Path directory;
    private final Thread unmount = new Thread(this::unmount);

    private SmallWal(Path directory) {
        this.directory = directory;
    }

    /** Of a host, which is started anew. */
    static SmallWal of(EmbeddedPostgres host) {
        SmallWal wal = new SmallWal(host.dataDirectory().resolve("pg_wal"));
        host.stop();
        wal.shell(MOUNT);
        Runtime.getRuntime().addShutdownHook(wal.unmount);
        host.start();
        return wal;
    }

    /** There is no room for a byte more. */
    void fill() {
        shell(FILL);
    }

    /** There is room again. */
    void empty() {
        shell(EMPTY);
    }

    private void shell(String script) {
        try {
            Process process = new ProcessBuilder("sh", "-c", script, "sh", directory.toString())
                    .redirectErrorStream(true)
                    .start();
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
            if (process.waitFor() != 0) {
                throw new IllegalStateException("A small WAL needs Linux and root: " + said);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void unmount() {
        shell(UNMOUNT);
    }

    @Override
    public void close() {
        Runtime.getRuntime().removeShutdownHook(unmount);
        unmount();
    }
}
