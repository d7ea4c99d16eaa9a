package dev.pgproxy.demo;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The files of a cluster, while no server of it runs:
 *
 * <pre>
 * primary/  replica_1/ …           data directories, each with our settings in pgproxy.conf, written at each start
 * primary.log  replica_1.log …     what the servers said
 * password                         of the superuser
 * </pre>
 *
 * A replica is a copy of the primary's directory, so that no base backup is needed. Confined to the thread that starts.
 *
 * @param root an absolute path
 * @param made whether {@code root} itself was made for this start
 * @param removable whether everything in it was, and is not to be kept
 */
record ClusterDirectory(Path root, boolean made, boolean removable) {
    /** Nothing here must survive a crash of the machine; everything else is PostgreSQL as users have it. */
    private static final Map<String, String> SETTINGS = Map.ofEntries(
            Map.entry("listen_addresses", EmbeddedPostgres.HOST),
            Map.entry("unix_socket_directories", ""),
            Map.entry("max_connections", "300"),
            Map.entry("max_prepared_transactions", "64"),
            Map.entry("wal_level", "logical"),
            Map.entry("fsync", "off"),
            Map.entry("full_page_writes", "off"),
            Map.entry("max_wal_size", "256MB"),
            // what a replica may need before its slot exists
            Map.entry("wal_keep_size", "64MB"),
            Map.entry("wal_retrieve_retry_interval", "100ms"),
            Map.entry("timezone", "UTC"),
            Map.entry("log_timezone", "UTC"));

    /** The account of the servers must pass through; the data directories below are closed. */
    private static final Set<PosixFilePermission> PASSABLE = PosixFilePermissions.fromString("rwx--x--x");

    private static final int PASSWORD_BYTES = 18;

    static ClusterDirectory open(@Nullable Path wanted, boolean keep) {
        try {
            if (wanted == null) {
                Path made = Files.createTempDirectory("pgproxy-cluster-");
                Files.setPosixFilePermissions(made, PASSABLE);
                return new ClusterDirectory(made.toAbsolutePath(), true, !keep);
            }
            Path root = wanted.toAbsolutePath().normalize();
            boolean existed = Files.exists(root);
            boolean empty = !existed || isEmpty(root);
            if (!empty && !Files.exists(root.resolve("password"))) {
                throw new ClusterException("The directory " + root
                        + " is not empty and holds no cluster of pgproxy; name another with --data-dir.");
            }
            if (!existed) {
                Files.createDirectories(root);
                Files.setPosixFilePermissions(root, PASSABLE);
            }
            return new ClusterDirectory(root, !existed, empty && !keep);
        } catch (IOException e) {
            throw new ClusterException("The data directory cannot be used: " + Reasons.of(e) + ".", e);
        }
    }

    private static boolean isEmpty(Path directory) throws IOException {
        try (Stream<Path> entries = Files.list(directory)) {
            return entries.findAny().isEmpty();
        }
    }

    /** The data directory of a server, made if missing. */
    Path server(String name) throws IOException {
        return Files.createDirectories(root.resolve(name));
    }

    /**
     * A replica that was promoted while the cluster ran is its primary now: it takes that name, and the others, which may have
     * what it has not, are made anew.
     */
    void adoptPromoted() throws IOException {
        List<Path> replicas;
        try (Stream<Path> entries = Files.list(root)) {
            replicas = entries.filter(path -> path.getFileName().toString().startsWith("replica_"))
                    .filter(path -> Files.exists(path.resolve("PG_VERSION")))
                    .toList();
        }
        Path promoted = null;
        for (Path replica : replicas) {
            boolean later = promoted == null || timeline(replica).compareTo(timeline(promoted)) > 0;
            if (!Files.exists(replica.resolve("standby.signal")) && later) {
                promoted = replica;
            }
        }
        if (promoted == null) {
            return;
        }
        Trees.delete(root.resolve("primary"));
        Files.move(promoted, root.resolve("primary"));
        for (Path replica : replicas) {
            if (!replica.equals(promoted)) {
                Trees.delete(replica);
            }
        }
    }

    /** The name of its last history file; empty on the first timeline. */
    private static String timeline(Path server) throws IOException {
        try (Stream<Path> files = Files.list(server.resolve("pg_wal"))) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".history"))
                    .max(Comparator.naturalOrder())
                    .orElse("");
        }
    }

    boolean isInitialised() {
        return Files.exists(root.resolve("primary/PG_VERSION"));
    }

    /** The superuser's password: the one wanted, the one remembered, or a new random one. */
    String password(@Nullable String wanted) throws IOException {
        Path file = root.resolve("password");
        if (Files.exists(file)) {
            String remembered = Files.readString(file);
            if (wanted != null && !wanted.equals(remembered)) {
                throw new ClusterException("The cluster in " + root + " was made with another superuser password.");
            }
            return remembered;
        }
        byte[] random = new byte[PASSWORD_BYTES];
        new SecureRandom().nextBytes(random);
        String password =
                wanted == null ? Base64.getUrlEncoder().withoutPadding().encodeToString(random) : wanted;
        Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(file, password);
        return password;
    }

    void initialise(ServerAccount account, PostgresBinaries binaries, String password) throws IOException {
        Path data = server("primary");
        Path closed = server("init");
        Path passwordFile = closed.resolve("password");
        account.own(closed);
        try {
            Files.writeString(passwordFile, password);
            account.own(passwordFile);
            account.run(
                    root,
                    List.of(
                            binaries.program("initdb").toString(),
                            "--pgdata=" + data,
                            "--username=" + EmbeddedPostgres.SUPERUSER,
                            "--pwfile=" + passwordFile,
                            "--auth=scram-sha-256",
                            "--encoding=UTF8",
                            "--locale=C",
                            "--locale-provider=builtin",
                            "--builtin-locale=C.UTF-8",
                            // small segments: a data directory is copied once per replica
                            "--wal-segsize=1",
                            "--no-sync",
                            "--no-data-checksums"));
            Files.writeString(
                    data.resolve("postgresql.conf"), "\ninclude = 'pgproxy.conf'\n", StandardOpenOption.APPEND);
            // the servers' from now on, and copied as such, whatever the umask is
            account.own(Files.createFile(data.resolve("pgproxy.conf")));
        } finally {
            Trees.delete(closed);
        }
    }

    /**
     * Copies the primary's directory for each replica that is missing, and removes replicas that are not wanted now: without a
     * slot they could never catch up again. A directory that was not shut down cleanly is as good: a replica starts with crash
     * recovery.
     */
    void copyReplicas(List<String> wanted, ServerAccount account) throws IOException {
        try (Stream<Path> entries = Files.list(root)) {
            for (Path entry : entries.filter(p -> p.getFileName().toString().startsWith("replica_"))
                    .toList()) {
                if (!wanted.contains(entry.getFileName().toString().replace(".log", ""))) {
                    Trees.delete(entry);
                }
            }
        }
        for (String name : wanted) {
            Path replica = root.resolve(name);
            if (!Files.exists(replica.resolve("PG_VERSION"))) {
                account.own(server(name));
                account.run(
                        root,
                        List.of("sh", "-c", COPY, "sh", root.resolve("primary").toString(), replica.toString()));
            }
        }
    }

    /** PG_VERSION comes last: a copy without it was interrupted and is made again. Slots belong to the primary alone. */
    private static final String COPY = """
            set -e
            chmod 700 "$2"
            rm -rf "$2"/*
            cp -Rp "$1"/. "$2"
            rm -rf "$2"/PG_VERSION "$2"/postmaster.pid "$2"/postmaster.opts "$2"/pg_replslot/*
            touch "$2"/standby.signal
            cp -p "$1"/PG_VERSION "$2"/PG_VERSION
            """;

    /** Writes pgproxy.conf of each server: PostgreSQL's file format, one {@code name = 'value'} per line. */
    void configure(List<EmbeddedPostgres> servers, Map<String, String> wanted, String password) throws IOException {
        EmbeddedPostgres primary = servers.getFirst();
        for (EmbeddedPostgres server : servers) {
            Map<String, String> settings = new TreeMap<>(SETTINGS);
            if (server != primary) {
                settings.put("primary_slot_name", server.name());
                settings.put(
                        "primary_conninfo",
                        "host=" + EmbeddedPostgres.HOST + " port=" + primary.port() + " user="
                                + EmbeddedPostgres.SUPERUSER + " password='"
                                + password.replace("\\", "\\\\").replace("'", "\\'")
                                + "' application_name=" + server.name());
            }
            settings.putAll(wanted);
            List<String> lines = new ArrayList<>();
            settings.forEach((name, value) ->
                    lines.add(name + " = '" + value.replace("\\", "\\\\").replace("'", "''") + "'"));
            Files.write(server.dataDirectory().resolve("pgproxy.conf"), lines);
            forgetPrimary(server.dataDirectory().resolve("postgresql.auto.conf"));
        }
    }

    /** Whom it was told to follow while it ran (ALTER SYSTEM) has another port now. */
    private static void forgetPrimary(Path settings) throws IOException {
        List<String> lines = Files.readAllLines(settings);
        List<String> kept = lines.stream()
                .filter(line -> !line.startsWith("primary_conninfo"))
                .toList();
        if (kept.size() < lines.size()) {
            Files.write(settings, kept);
        }
    }

    void removeIfTemporary() {
        if (!removable) {
            return;
        }
        try (Stream<Path> entries = Files.list(root)) {
            for (Path entry : entries.toList()) {
                Trees.delete(entry);
            }
            if (made) {
                Files.delete(root);
            }
        } catch (IOException e) {
            throw new ClusterException(
                    "The temporary directory " + root + " is left behind: " + Reasons.of(e) + ".", e);
        }
    }
}
