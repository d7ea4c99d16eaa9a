package dev.pgproxy.auth;

/**
 * Something wrong in a file that the operator wrote, for the list of all problems at start or reload. Immutable; never
 * holds a secret.
 *
 * @param file as the operator named it
 * @param line counted from 1
 * @param message what is wrong and, where it helps, what to write instead
 */
public record FileProblem(String file, int line, String message) {
    @Override
    public String toString() {
        return file + ":" + line + ": " + message;
    }
}
