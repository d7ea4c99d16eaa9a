package dev.pgproxy.config;

import java.util.List;

/**
 * The configuration cannot be used; names everything that is wrong with it at once, each as
 * {@code conf/pgproxy.conf:12: unknown setting 'pool_modee', did you mean 'pool_mode'?}. No secret is in it. Immutable.
 */
public final class ConfigProblems extends Exception {
    ConfigProblems(List<String> problems) {
        super(String.join("\n", problems), null, false, false);
    }

    /** One line each, in the order of the files and their lines. */
    public List<String> problems() {
        return String.valueOf(getMessage()).lines().toList();
    }
}
