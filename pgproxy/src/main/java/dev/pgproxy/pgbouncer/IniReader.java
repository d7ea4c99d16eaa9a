package dev.pgproxy.pgbouncer;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Splits an ini file and what it includes into lines, as PgBouncer does: {@code ;} and {@code #} begin a comment only where a
 * line begins, an included file is named relative to the working directory, goes on in the section at hand, and leaves
 * behind the one it ends in; a second {@code [pgbouncer]} makes the first one forgotten. Confined to one call.
 */
final class IniReader {
    static final String GENERAL = "pgbouncer";

    private static final Set<String> SECTIONS = Set.of(GENERAL, "databases", "users", "peers");
    private static final String INCLUDE = "%include";
    private static final int MAX_DEPTH = 10;

    private final Path working;
    private final List<Remark> remarks;
    private final List<IniLine> lines = new ArrayList<>();
    private @Nullable String section;
    private boolean hasGeneral;

    private IniReader(Path working, List<Remark> remarks) {
        this.working = working;
        this.remarks = remarks;
    }

    /**
     * All lines, in order.
     *
     * @param working what files are relative to
     * @param remarks gets what is wrong
     */
    static List<IniLine> read(Path file, Path working, List<Remark> remarks) {
        IniReader reader = new IniReader(working, remarks);
        reader.file(file.toString(), 0, new Remark(Remark.Kind.ERROR, file.toString(), 0, "cannot be read"));
        if (!reader.hasGeneral && remarks.isEmpty()) {
            reader.error(file.toString(), 0, "has no section [pgbouncer]");
        }
        return reader.lines;
    }

    private void file(String name, int depth, Remark unreadable) {
        List<String> text;
        try {
            text = Files.readAllLines(working.resolve(name), StandardCharsets.UTF_8);
        } catch (IOException e) {
            remarks.add(unreadable);
            return;
        }
        for (int i = 0; i < text.size(); i++) {
            line(name, i + 1, text.get(i).strip(), depth);
        }
    }

    private void line(String file, int number, String text, int depth) {
        if (text.isEmpty() || text.startsWith(";") || text.startsWith("#")) {
            return;
        }
        if (text.startsWith(INCLUDE) && text.length() > INCLUDE.length() && isBlank(text.charAt(INCLUDE.length()))) {
            String other = text.substring(INCLUDE.length()).strip();
            if (depth == MAX_DEPTH) {
                error(file, number, "includes are nested more than " + MAX_DEPTH + " deep");
            } else {
                file(
                        other,
                        depth + 1,
                        new Remark(Remark.Kind.ERROR, file, number, "the included " + other + " cannot be read"));
            }
        } else if (text.startsWith("[")) {
            int close = text.indexOf(']');
            if (close < 0) {
                error(file, number, "the closing ']' is missing");
                return;
            }
            section(file, number, text.substring(1, close));
            line(file, number, text.substring(close + 1).strip(), depth);
        } else {
            setting(file, number, text);
        }
    }

    private void section(String file, int number, String name) {
        section = name;
        if (!SECTIONS.contains(name)) {
            error(file, number, "unknown section [" + name + "]; there are pgbouncer, databases, users, peers");
        }
        if (name.equals(GENERAL)) {
            if (lines.removeIf(line -> line.section().equals(GENERAL))) {
                remarks.add(new Remark(
                        Remark.Kind.DIFFERENT,
                        file,
                        number,
                        "[pgbouncer] begins again: what stood under it before is forgotten, as by PgBouncer"));
            }
            hasGeneral = true;
        }
    }

    private void setting(String file, int number, String text) {
        StringBuilder key = new StringBuilder();
        int at = key(text, key);
        while (at >= 0 && at < text.length() && isBlank(text.charAt(at))) {
            at++;
        }
        if (at < 0 || at == text.length() || text.charAt(at) != '=' || key.isEmpty()) {
            error(file, number, "expects key = value, [section], or %include file");
        } else if (section == null) {
            error(file, number, key + " stands in no section");
        } else {
            lines.add(new IniLine(
                    file,
                    number,
                    section,
                    key.toString(),
                    text.substring(at + 1).strip()));
        }
    }

    /** Reads a key, perhaps in double quotes as an identifier of SQL, up to the index returned; -1 without its end. */
    private static int key(String text, StringBuilder key) {
        int at = 0;
        if (text.charAt(0) != '"') {
            while (at < text.length()
                    && (Character.isLetterOrDigit(text.charAt(at)) || "_.-*".indexOf(text.charAt(at)) >= 0)) {
                key.append(text.charAt(at++));
            }
            return at;
        }
        for (at = 1; at < text.length(); at++) {
            char c = text.charAt(at);
            if (c == '"' && (at + 1 == text.length() || text.charAt(at + 1) != '"')) {
                return at + 1;
            }
            at += c == '"' ? 1 : 0;
            key.append(c);
        }
        return -1;
    }

    private static boolean isBlank(char c) {
        return c == ' ' || c == '\t';
    }

    private void error(String file, int number, String text) {
        remarks.add(new Remark(Remark.Kind.ERROR, file, number, text));
    }
}
