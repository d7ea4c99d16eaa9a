package dev.pgproxy.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A fenced block of the documents. Immutable.
 *
 * @param document the file
 * @param line of its first fence, from 1
 * @param tag what stands behind that fence
 */
public record DocBlock(Path document, int line, String tag, String text) {
    private static final Path REPOSITORY = Path.of(".."); // of the module
    private static final Pattern FENCE = Pattern.compile("```(\\w*)");

    /** README and everything in docs, its decision records too. */
    public static List<Path> documents() {
        try (Stream<Path> docs = Files.walk(REPOSITORY.resolve("docs"))) {
            return Stream.concat(
                            Stream.of("README.md", "CONTRIBUTING.md", "benchmarks/README.md")
                                    .map(REPOSITORY::resolve),
                            docs.filter(path -> path.toString().endsWith(".md")).sorted())
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** All blocks of all documents. */
    public static List<DocBlock> all() {
        return documents().stream().flatMap(DocBlock::of).toList();
    }

    /** All with a tag. */
    public static List<DocBlock> tagged(String tag) {
        return all().stream().filter(block -> block.tag.equals(tag)).toList();
    }

    private static Stream<DocBlock> of(Path document) {
        List<DocBlock> blocks = new ArrayList<>();
        List<String> lines = read(document);
        int from = -1;
        for (int i = 0; i < lines.size(); i++) {
            var fence = FENCE.matcher(lines.get(i));
            if (fence.matches() && from < 0) {
                from = i;
            } else if (fence.matches()) {
                String tag = lines.get(from).substring(3);
                blocks.add(new DocBlock(document, from + 1, tag, String.join("\n", lines.subList(from + 1, i))));
                from = -1;
            }
        }
        return blocks.stream();
    }

    private static List<String> read(Path document) {
        try {
            return Files.readAllLines(document);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public String toString() {
        return REPOSITORY.relativize(document) + ":" + line;
    }
}
