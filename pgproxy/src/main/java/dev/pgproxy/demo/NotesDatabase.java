package dev.pgproxy.demo;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Objects;

/** The demo's database: a small notes application with a few thousand rows, the same in every run. Thread-safe. */
public final class NotesDatabase {
    /** The database. */
    public static final String NAME = "demo";

    /** Its owner. */
    public static final String USER = "demo";

    /** The owner's password, no secret; stored as a SCRAM verifier. */
    public static final String PASSWORD = "demo";

    private NotesDatabase() {}

    /** Creates user, database, tables and rows where they are missing; the tables and rows in one transaction. */
    static void load(EmbeddedPostgres primary) throws SQLException {
        try (Connection connection = primary.connect("postgres");
                Statement statement = connection.createStatement()) {
            if (isMissing(statement, "SELECT FROM pg_roles WHERE rolname = '" + USER + "'")) {
                statement.execute("CREATE ROLE " + USER + " LOGIN PASSWORD '" + PASSWORD + "'");
            }
            if (isMissing(statement, "SELECT FROM pg_database WHERE datname = '" + NAME + "'")) {
                statement.execute("CREATE DATABASE " + NAME + " OWNER " + USER);
            }
        }
        try (Connection connection = primary.connect(USER, PASSWORD, NAME);
                Statement statement = connection.createStatement()) {
            if (isMissing(statement, "SELECT WHERE to_regclass('public.notes') IS NOT NULL")) {
                connection.setAutoCommit(false);
                statement.execute(resource("schema.sql"));
                statement.execute(resource("rows.sql"));
                connection.commit();
            }
        }
    }

    private static boolean isMissing(Statement statement, String sql) throws SQLException {
        try (ResultSet rows = statement.executeQuery(sql)) {
            return !rows.next();
        }
    }

    private static String resource(String name) {
        try (InputStream in = Objects.requireNonNull(NotesDatabase.class.getResourceAsStream(name), name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
