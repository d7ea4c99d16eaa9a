package dev.pgproxy.migrate;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.flywaydb.core.api.MigrationInfo;
import org.flywaydb.core.api.MigrationVersion;
import org.jspecify.annotations.Nullable;

/** The files {@code U<version>__<description>.sql} beside the migrations that they take back. Confined to one thread. */
record RollbackFiles(Path directory) {
    private static final Pattern NAME = Pattern.compile("U([0-9][0-9._]*)__.+\\.sql");

    /** What migrations and their companions are called; SQL callbacks begin with a small letter. */
    private static final Pattern KNOWN = Pattern.compile("(V[0-9][0-9._]*|U[0-9][0-9._]*|R)__.+\\.sql|[a-z].*\\.sql");

    /** That of a version; null if there is none. */
    @Nullable
    Path find(MigrationVersion version) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            return files.filter(file -> isOf(file, version)).findFirst().orElse(null);
        }
    }

    private static boolean isOf(Path file, MigrationVersion version) {
        Matcher name = NAME.matcher(file.getFileName().toString());
        return name.matches()
                && MigrationVersion.fromVersion(name.group(1)).compareTo(version) == 0
                && Files.isRegularFile(file);
    }

    /** Files whose names say that they are SQL, and nothing else. */
    List<Path> unknown() throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            return files.filter(Files::isRegularFile)
                    .filter(file -> file.toString().endsWith(".sql"))
                    .filter(file ->
                            !KNOWN.matcher(file.getFileName().toString()).matches())
                    .sorted()
                    .toList();
        }
    }

    /** What takes a migration back that is about to be run on this connection. */
    static RollbackScript script(MigrationInfo migration, Connection connection) throws IOException, SQLException {
        String text = Files.readString(file(migration), StandardCharsets.UTF_8);
        return RollbackScript.of(text, new CatalogBefore(connection));
    }

    /** Writes it beside the migration, and returns where. */
    Path write(MigrationInfo migration, RollbackScript script) throws IOException {
        Path file = file(migration);
        String name = file.getFileName().toString();
        Path undo = file.resolveSibling("U" + name.substring(1));
        Files.writeString(undo, script.text(name), StandardCharsets.UTF_8, StandardOpenOption.CREATE_NEW);
        return undo;
    }

    private static Path file(MigrationInfo migration) throws IOException {
        String location = migration.getPhysicalLocation();
        if (location == null) {
            throw new IOException("the file of " + migration.getScript() + " is not there");
        }
        return Path.of(location);
    }
}
