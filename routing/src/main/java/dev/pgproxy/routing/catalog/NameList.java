package dev.pgproxy.routing.catalog;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.util.HashSet;
import java.util.Objects;
import java.util.Set;
import java.util.StringJoiner;
import java.util.regex.Pattern;

/**
 * Names from a resource file beside this class: words between white space, where * stands for any characters; lines that
 * begin with # explain them. Immutable.
 */
final class NameList {
    private final Set<String> names = new HashSet<>();
    private final Pattern patterns;

    NameList(String resource) {
        StringJoiner alternatives = new StringJoiner("|");
        try (InputStream in = Objects.requireNonNull(NameList.class.getResourceAsStream(resource), resource);
                BufferedReader lines = new BufferedReader(new InputStreamReader(in, UTF_8))) {
            lines.lines()
                    .filter(line -> !line.startsWith("#"))
                    .flatMap(Pattern.compile("\\s+")::splitAsStream)
                    .forEach(word -> {
                        if (word.contains("*")) {
                            alternatives.add(word.replace("*", ".*"));
                        } else {
                            names.add(word);
                        }
                    });
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        patterns = Pattern.compile(alternatives.length() == 0 ? "(?!)" : alternatives.toString());
    }

    boolean contains(String name) {
        return names.contains(name) || patterns.matcher(name).matches();
    }
}
