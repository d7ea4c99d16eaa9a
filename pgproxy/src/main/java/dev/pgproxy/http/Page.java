package dev.pgproxy.http;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The page for people: three texts that need nothing else. Immutable. */
final class Page {
    private final Map<String, Answer> byPath = Map.of(
            "/", text("page.html", "text/html"),
            "/page.css", text("page.css", "text/css"),
            "/page.js", text("page.js", "text/javascript"));

    private static Answer text(String name, String type) {
        try (InputStream in = Page.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IllegalStateException("the program lacks " + name);
            }
            String read = new String(in.readAllBytes(), StandardCharsets.UTF_8);
            return new Answer(200, type + "; charset=utf-8", read);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What is at this path; null for anything else. */
    @Nullable
    Answer at(String path) {
        return byPath.get(path);
    }
}
