package dev.pgproxy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A file that nobody but its owner may read or write, and that is there as a whole or not at all. Thread-safe. */
record PrivateFile(Path path) {
    private static final Set<PosixFilePermission> OWNER = PosixFilePermissions.fromString("rw-------");

    /**
     * What is in it; null if there is none.
     *
     * @param longest bytes that it may have
     * @throws IOException also if others may read or write it
     */
    byte @Nullable [] read(long longest) throws IOException {
        try {
            if (!OWNER.containsAll(Files.getPosixFilePermissions(path))) {
                throw new IOException("others than its owner may read or write it: chmod 600");
            }
            if (Files.size(path) > longest) {
                throw new IOException("it is longer than any that was written here");
            }
            return Files.readAllBytes(path);
        } catch (NoSuchFileException e) {
            return null; // the first start
        }
    }

    /** Replaces it. */
    synchronized void write(byte[] bytes) throws IOException {
        Path next = path.resolveSibling(path.getFileName() + ".new");
        Files.deleteIfExists(next);
        Files.createFile(next, PosixFilePermissions.asFileAttribute(OWNER));
        Files.write(next, bytes);
        Files.move(next, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }
}
