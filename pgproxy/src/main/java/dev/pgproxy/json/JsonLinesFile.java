package dev.pgproxy.json;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumSet;
import java.util.Set;

/**
 * A file of whole lines that nobody but its owner may read, and those that it was before: {@code log}, {@code log.1} and so on,
 * the oldest last. It is opened anew for each write, so that whoever moves or removes it disturbs nothing. Confined to one
 * thread. Not one of Logback's appenders: these keep to themselves what they could not write.
 *
 * @param size bytes from which on another file is begun
 * @param files how many there are, the one that is written included
 */
public record JsonLinesFile(Path path, long size, int files) {
    private static final Set<StandardOpenOption> APPEND =
            EnumSet.of(StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    private static final FileAttribute<?> OWNER =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));

    /**
     * Adds lines, all of them or none.
     *
     * @throws IOException if they could not be written
     */
    public void append(byte[] lines) throws IOException {
        if (length() > 0 && length() + lines.length > size) {
            rotate();
        }
        try (SeekableByteChannel file = FileChannel.open(path, APPEND, OWNER)) {
            long end = file.size();
            try {
                for (ByteBuffer left = ByteBuffer.wrap(lines); left.hasRemaining(); ) {
                    file.write(left);
                }
            } catch (IOException e) {
                file.truncate(end); // no half a line, where the disk is full
                throw e;
            }
        }
    }

    private long length() throws IOException {
        try {
            return Files.size(path);
        } catch (NoSuchFileException e) {
            return 0;
        }
    }

    private void rotate() throws IOException {
        for (int i = files - 1; i > 0; i--) {
            Path from = i == 1 ? path : numbered(i - 1);
            if (Files.exists(from)) {
                Files.move(from, numbered(i), StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
            }
        }
        if (files == 1) {
            Files.delete(path);
        }
    }

    private Path numbered(int i) {
        return path.resolveSibling(path.getFileName() + "." + i);
    }
}
