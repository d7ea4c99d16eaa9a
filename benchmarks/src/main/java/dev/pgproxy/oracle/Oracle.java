package dev.pgproxy.oracle;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.Supplier;

/**
 * The command benchmarks/oracle: compares over the corpus, over generated statements and over mutations of the corpus,
 * prints what it counted, and every statement of which pgproxy misses something.
 */
public final class Oracle {
    /** The shortest texts of each source that show a fault. */
    private static final int SHOWN = 25;

    private final PostgresParser postgres;
    private final Judge judge = new Judge();
    private final PrintStream out;
    private int faults;

    private Oracle(PostgresParser postgres, PrintStream out) {
        this.postgres = postgres;
        this.out = out;
    }

    /**
     * Runs it.
     *
     * @param arguments libpg-query.wasm, statements.txt, how many to generate, the first seed
     */
    public static void main(String[] arguments) throws IOException {
        PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), true, UTF_8);
        Oracle oracle = new Oracle(new PostgresParser(Path.of(arguments[0])), out);
        List<String> corpus = corpus(Path.of(arguments[1]));
        int count = Integer.parseInt(arguments[2]);
        long seed = Long.parseLong(arguments[3]);
        out.println("| statements | all | refused by PostgreSQL | equal | stricter | laxer |");
        out.println("|---|---|---|---|---|---|");
        List<String> details = new ArrayList<>();
        details.add(oracle.run("corpus", corpus.size(), i -> corpus.get((int) i), 0));
        details.add(oracle.run("generated", count, s -> new SqlGenerator(new SplittableRandom(s)).next(), seed));
        details.add(oracle.run("mutated", count, s -> new Mutator(new SplittableRandom(s), corpus).next(), seed));
        details.forEach(out::print);
        System.exit(oracle.faults > 0 ? 1 : 0);
    }

    /** Makes the text of a number. */
    private interface Source {
        String text(long number);
    }

    private String run(String name, int count, Source source, long first) {
        Map<Judge.Outcome, Integer> outcomes = new EnumMap<>(Judge.Outcome.class);
        Map<String, Integer> reasons = new TreeMap<>();
        List<String> missed = new ArrayList<>();
        for (long number = first; number < first + count; number++) {
            String sql = source.text(number);
            Judge.Verdict verdict = judge.judge(sql, postgres.parse(sql));
            outcomes.merge(verdict.outcome(), 1, Integer::sum);
            if (verdict.outcome() == Judge.Outcome.STRICTER) {
                reasons.merge(String.join(", ", verdict.reasons()), 1, Integer::sum);
            } else if (verdict.outcome() == Judge.Outcome.LAXER) {
                faults++;
                missed.add(String.format(
                        Locale.ROOT, "%nlaxer: %s %d misses %s%n%s%n", name, number, verdict.reasons(), sql));
            }
        }
        out.printf(
                Locale.ROOT,
                "| %s | %d | %d | %d | %d | %d |%n",
                name,
                count,
                outcomes.getOrDefault(Judge.Outcome.REFUSED, 0),
                outcomes.getOrDefault(Judge.Outcome.EQUAL, 0),
                outcomes.getOrDefault(Judge.Outcome.STRICTER, 0),
                outcomes.getOrDefault(Judge.Outcome.LAXER, 0));
        missed.sort(Comparator.comparingInt(String::length));
        return String.format(
                Locale.ROOT,
                "%nstricter in %s: %s%n%s",
                name,
                reasons,
                String.join("", missed.subList(0, Math.min(SHOWN, missed.size()))));
    }

    /** The texts of statements.txt, without what is said of them. */
    private static List<String> corpus(Path file) throws IOException {
        List<String> texts = new ArrayList<>();
        StringBuilder text = new StringBuilder();
        Supplier<String> taken = () -> {
            String sql = text.toString().strip();
            text.setLength(0);
            return sql;
        };
        for (String line : Files.readAllLines(file)) {
            if (line.startsWith("@ ") || line.startsWith("##")) {
                texts.add(taken.get());
            } else {
                text.append(line).append('\n');
            }
        }
        texts.add(taken.get());
        return texts.stream().filter(sql -> !sql.isEmpty()).toList();
    }
}
