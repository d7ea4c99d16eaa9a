package dev.pgproxy.corpus;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** The files schema.sql and statements.txt; the latter says itself how it is written. Immutable. */
final class Corpus {
    private Corpus() {}

    /** The statements that make the database of the corpus. */
    static String schema() {
        return read("schema.sql");
    }

    /** Every entry, in the order of the file. */
    static List<CorpusStatement> statements() {
        List<CorpusStatement> statements = new ArrayList<>();
        String header = "";
        int start = 0;
        StringBuilder sql = new StringBuilder();
        List<String> lines = new ArrayList<>(read("statements.txt").lines().toList());
        lines.add("##");
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i);
            if (line.startsWith("@ ") || line.startsWith("##")) {
                if (!header.isEmpty()) {
                    statements.add(
                            CorpusStatement.of(start, header, sql.toString().strip()));
                }
                header = line.startsWith("@ ") ? line.substring(2) : "";
                start = i + 1;
                sql.setLength(0);
            } else {
                sql.append(line).append('\n');
            }
        }
        return statements;
    }

    private static String read(String name) {
        try (InputStream in = Corpus.class.getResourceAsStream(name)) {
            return new String(Objects.requireNonNull(in, name).readAllBytes(), UTF_8);
        } catch (IOException e) {
            throw new AssertionError(name, e);
        }
    }
}
