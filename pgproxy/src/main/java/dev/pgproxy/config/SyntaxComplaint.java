package dev.pgproxy.config;

import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigOrigin;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Puts what the HOCON parser says into one line, without any part of a secret. */
final class SyntaxComplaint {
    private SyntaxComplaint() {}

    static String of(ConfigException e) {
        if (e instanceof ConfigException.IO) {
            return "cannot be read";
        }
        if (mayQuoteSecret(e.origin())) {
            return "cannot be read; put the value in double quotes, with \\\" and \\\\ for \" and \\";
        }
        String message = String.valueOf(e.getMessage());
        ConfigOrigin origin = e.origin();
        if (origin != null && message.startsWith(origin.description())) {
            message = message.substring(origin.description().length()).replaceFirst("^: ", "");
        }
        return message.replaceAll("\\s+", " ");
    }

    /** The parser repeats the words at which it stopped. */
    private static boolean mayQuoteSecret(@Nullable ConfigOrigin origin) {
        if (origin == null || origin.filename() == null || origin.lineNumber() < 1) {
            return false;
        }
        try {
            List<String> lines = Files.readAllLines(Path.of(origin.filename()), StandardCharsets.UTF_8);
            return origin.lineNumber() <= lines.size()
                    && lines.get(origin.lineNumber() - 1)
                            .toLowerCase(Locale.ROOT)
                            .contains("password");
        } catch (IOException e) {
            return true;
        }
    }
}
