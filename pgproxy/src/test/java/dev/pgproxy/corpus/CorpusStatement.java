package dev.pgproxy.corpus;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * One entry of the corpus: a text, and what is right to say of it. Immutable.
 *
 * @param line where it stands in statements.txt
 * @param routes {@code replica} or {@code primary:HINDRANCE}; any of them is right
 * @param kind the name of the StatementKind
 * @param reads relations that it reads
 * @param writes relations that it can change
 * @param path its search_path
 * @param marks unstable, quiet, fails, heals
 */
record CorpusStatement(
        int line,
        String sql,
        Set<String> routes,
        String kind,
        Relations reads,
        Relations writes,
        List<String> path,
        Set<String> marks) {
    static final String REPLICA = "replica";

    /** Hindrances behind which there is an effect, or an answer that a replica cannot give, for all to see. */
    private static final Set<String> HARMFUL = Set.of(
            "primary:WRITE",
            "primary:ROW_LOCK",
            "primary:SESSION_STATE",
            "primary:VOLATILE_FUNCTION",
            "primary:VOLATILE_OPERATOR",
            "primary:UNLOGGED_RELATION");

    private static final List<String> DEFAULT_PATH = List.of("app", "public");

    /**
     * Relations as {@code schema.name}.
     *
     * @param open whether there may be more
     * @param all whether it must be every relation
     */
    record Relations(Set<String> names, boolean open, boolean all) {
        static Relations of(String list) {
            Set<String> items = Set.copyOf(items(list));
            return new Relations(
                    items.stream()
                            .filter(Predicate.not(Set.of("*", "all")::contains))
                            .collect(Collectors.toSet()),
                    items.contains("*"),
                    items.contains("all"));
        }
    }

    /** Reads a header without its {@code "@ "}. */
    static CorpusStatement of(int line, String header, String sql) {
        List<String> fields =
                Arrays.stream(header.split("\\|", -1)).map(String::strip).toList();
        Set<String> marks =
                fields.stream().skip(2).filter(field -> !field.contains(" ")).collect(Collectors.toSet());
        if (!Set.of("unstable", "quiet", "fails", "heals").containsAll(marks)) {
            throw new IllegalArgumentException("statements.txt line " + line + ": " + marks);
        }
        List<String> path = items(field(fields, "path "));
        return new CorpusStatement(
                line,
                sql,
                Set.of(routes(fields.getFirst())),
                fields.get(1),
                Relations.of(field(fields, "reads ")),
                Relations.of(field(fields, "writes ")),
                path.isEmpty()
                        ? DEFAULT_PATH
                        : path.stream().map(CorpusStatement::unquoted).toList(),
                marks);
    }

    private static String unquoted(String schema) {
        return schema.equals("\"$user\"") ? "postgres" : schema;
    }

    private static String[] routes(String field) {
        String[] routes = field.split("/", -1);
        for (int i = 0; i < routes.length; i++) {
            if (!routes[i].equals(REPLICA) && !routes[i].startsWith("primary:")) {
                routes[i] = "primary:" + routes[i];
            }
        }
        return routes;
    }

    private static String field(List<String> fields, String name) {
        return fields.stream()
                .skip(2)
                .filter(field -> field.startsWith(name))
                .map(field -> field.substring(name.length()))
                .findFirst()
                .orElse("");
    }

    private static List<String> items(String list) {
        return Arrays.stream(list.split(",", -1))
                .map(String::strip)
                .filter(item -> !item.isEmpty())
                .toList();
    }

    boolean is(String mark) {
        return marks.contains(mark);
    }

    /** Whether a replica may answer it. */
    boolean mayRunOnReplica() {
        return routes.contains(REPLICA);
    }

    /** Whether running it must show why no replica may. */
    boolean mustShowHarm() {
        return !mayRunOnReplica() && !is("quiet") && routes.stream().anyMatch(HARMFUL::contains);
    }

    /** The search_path as a value for SET. */
    String pathSetting() {
        return path.stream().map(schema -> '"' + schema + '"').collect(Collectors.joining(", "));
    }

    @Override
    public String toString() {
        return "line " + line + " " + sql;
    }
}
