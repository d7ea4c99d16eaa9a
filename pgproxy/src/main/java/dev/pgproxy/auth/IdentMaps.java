package dev.pgproxy.auth;

import dev.pgproxy.auth.HbaFields.Word;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Which users somebody may log in as whom the operating system or a certificate names otherwise: the lines of a
 * {@code pg_ident.conf} (PostgreSQL's manual, "User Name Maps"), plain names only, as in PgBouncer. Immutable, thread-safe.
 */
public final class IdentMaps {
    /** Without a file. */
    public static final IdentMaps NONE = new IdentMaps(Map.of());

    private final Map<String, List<Line>> maps;

    /** Who may be whom. */
    private record Line(String system, Word user) {
        boolean allows(String systemUser, String databaseUser) {
            return system.equals(systemUser) && (user.is("all") || user.text().equals(databaseUser));
        }
    }

    private IdentMaps(Map<String, List<Line>> maps) {
        this.maps = maps;
    }

    /** The maps of a text; what is wrong in it or not supported is added to the problems, all of it. */
    public static IdentMaps parse(String file, String text, List<FileProblem> problems) {
        Map<String, List<Line>> maps = new HashMap<>();
        List<String> lines = text.lines().toList();
        for (int i = 0; i < lines.size(); i++) {
            try {
                List<List<Word>> fields = HbaFields.of(lines.get(i));
                if (!fields.isEmpty()) {
                    maps.computeIfAbsent(name(fields, 0).text(), key -> new ArrayList<>())
                            .add(new Line(name(fields, 1).text(), name(fields, 2)));
                }
            } catch (IllegalArgumentException e) {
                problems.add(new FileProblem(file, i + 1, String.valueOf(e.getMessage())));
            }
        }
        return new IdentMaps(maps);
    }

    private static Word name(List<List<Word>> fields, int index) {
        if (fields.size() != 3 || fields.get(index).size() != 1) {
            throw new IllegalArgumentException("expects a map, a name of the system and a user");
        }
        Word word = fields.get(index).getFirst();
        if (!word.quoted()
                && (word.text().startsWith("/")
                        || word.text().startsWith("+")
                        || word.text().startsWith("@"))) {
            throw new IllegalArgumentException(
                    "\"" + word.text() + "\" is not supported: neither are regular expressions, roles or files");
        }
        return word;
    }

    /** Whether there is such a map. */
    public boolean has(String map) {
        return maps.containsKey(map);
    }

    /** Whether a line of the map lets the one be the other. */
    public boolean allows(String map, String systemUser, String databaseUser) {
        return maps.getOrDefault(map, List.of()).stream().anyMatch(line -> line.allows(systemUser, databaseUser));
    }
}
