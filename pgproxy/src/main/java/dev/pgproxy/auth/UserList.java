package dev.pgproxy.auth;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads PgBouncer's {@code userlist.txt} (its manual, "Authentication file format"): per line a user and a secret in
 * double quotes, a quote inside doubled, the rest of the line ignored; lines that begin with {@code ;} or {@code #} are
 * comments. A secret is a plain password, {@code md5…}, {@code SCRAM-SHA-256$…}, or empty for none. Confined to one
 * call.
 */
public final class UserList {
    private final String file;
    private final List<FileProblem> problems;
    private final Map<String, UserSecret> secrets = new HashMap<>();
    private final Map<String, Integer> lines = new HashMap<>();

    /** What of the current line is not read yet. */
    private String line = "";

    private int at;

    private UserList(String file, List<FileProblem> problems) {
        this.file = file;
        this.problems = problems;
    }

    /**
     * The users of the text by name; what is wrong is added to the problems, all of it, and left out of the result.
     *
     * @param file the name for the problems
     */
    public static Map<String, UserSecret> parse(String file, String text, List<FileProblem> problems) {
        UserList list = new UserList(file, problems);
        int number = 0;
        for (String line : text.lines().toList()) {
            number++;
            list.read(line, number);
        }
        return Map.copyOf(list.secrets);
    }

    private void read(String text, int number) {
        line = text;
        at = 0;
        skipBlanks();
        if (at == line.length() || line.charAt(at) == ';' || line.charAt(at) == '#') {
            return;
        }
        String user = quoted();
        skipBlanks();
        String stored = user == null ? null : quoted();
        if (user == null || stored == null) {
            report(number, "expected \"user\" \"secret\", both in double quotes");
        } else if (user.isEmpty()) {
            report(number, "the user name is empty");
        } else if (lines.containsKey(user)) {
            report(number, "user \"" + user + "\" is already given in line " + lines.get(user));
        } else {
            lines.put(user, number);
            try {
                secrets.put(user, UserSecret.parse(stored));
            } catch (IllegalArgumentException e) {
                report(number, "user \"" + user + "\": " + e.getMessage());
            }
        }
    }

    private void report(int number, String message) {
        problems.add(new FileProblem(file, number, message));
    }

    private void skipBlanks() {
        while (at < line.length() && Character.isWhitespace(line.charAt(at))) {
            at++;
        }
    }

    /** Reads a quoted text, or gives null where none is or its end is missing. */
    private @Nullable String quoted() {
        if (at == line.length() || line.charAt(at) != '"') {
            return null;
        }
        at++;
        StringBuilder text = new StringBuilder();
        while (at < line.length()) {
            char c = line.charAt(at++);
            if (c != '"') {
                text.append(c);
            } else if (at < line.length() && line.charAt(at) == '"') {
                text.append(c);
                at++;
            } else {
                return text.toString();
            }
        }
        return null;
    }
}
