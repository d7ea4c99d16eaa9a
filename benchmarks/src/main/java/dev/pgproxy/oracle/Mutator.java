package dev.pgproxy.oracle;

import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Makes new texts of the corpus' by exchanging, repeating, dropping and inserting tokens. Most are refused by
 * PostgreSQL, the rest are what nobody thinks of. Confined to its thread.
 */
final class Mutator {
    private static final Pattern TOKEN = Pattern.compile(
            "\\$(\\w*)\\$.*?\\$\\1\\$|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|[\\p{L}_][\\p{L}\\d_$]*|\\d+|\\s+|.",
            Pattern.DOTALL);

    private static final List<String> WORDS = List.of(
            " update ",
            " delete ",
            " share ",
            " values ",
            " row ",
            " only ",
            " table ",
            " from ",
            " , ",
            " ( ",
            " ) ",
            " lateral ",
            " as ",
            " using ",
            " into ",
            " for ",
            " of ",
            " with ",
            " set ",
            " * ",
            " join ",
            " temp ",
            " U&\"\\0061\" ",
            " \"a\" ",
            " ; ",
            " /* x */ ",
            " union ",
            " select ",
            " not ",
            " . ",
            " :: ",
            " left ",
            " natural ",
            " recursive ",
            " ordinality ");

    private final RandomGenerator random;
    private final List<List<String>> texts;

    Mutator(RandomGenerator random, List<String> corpus) {
        this.random = random;
        texts = corpus.stream()
                .map(Mutator::tokens)
                .filter(list -> !list.isEmpty())
                .toList();
    }

    /** One to three changes of one text. */
    String next() {
        List<String> tokens = new ArrayList<>(any());
        for (int changes = 1 + random.nextInt(3); changes > 0; changes--) {
            int at = random.nextInt(tokens.size());
            switch (random.nextInt(5)) {
                case 0 -> tokens.set(at, any(any()));
                case 1 -> tokens.add(at, WORDS.get(random.nextInt(WORDS.size())));
                case 2 -> tokens.add(at, tokens.get(random.nextInt(tokens.size())));
                case 3 -> tokens.set(at, tokens.get(random.nextInt(tokens.size())));
                default -> {
                    List<String> other = any();
                    int from = random.nextInt(other.size());
                    int to = Math.min(other.size(), from + 1 + random.nextInt(12));
                    tokens.addAll(at, other.subList(from, to));
                }
            }
        }
        return String.join("", tokens);
    }

    private List<String> any() {
        return texts.get(random.nextInt(texts.size()));
    }

    private String any(List<String> tokens) {
        return tokens.get(random.nextInt(tokens.size()));
    }

    private static List<String> tokens(String sql) {
        List<String> tokens = new ArrayList<>();
        Matcher matcher = TOKEN.matcher(sql);
        while (matcher.find()) {
            tokens.add(matcher.group());
        }
        return tokens;
    }
}
