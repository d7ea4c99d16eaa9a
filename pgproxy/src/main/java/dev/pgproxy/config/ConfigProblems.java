package dev.pgproxy.config;

import java.util.List;
import java.util.stream.Collectors;

/**
 * The configuration cannot be used; names everything that is wrong with it at once, each as
 * {@code conf/pgproxy.conf:12: unknown setting 'pool_modee', did you mean 'pool_mode'?}. No secret is in it. Immutable.
 */
public final class ConfigProblems extends Exception {
    private final transient List<String> problems;

    ConfigProblems(List<String> problems) {
        super(problems.stream().collect(Collectors.joining("\n")), null, false, false);
        this.problems = List.copyOf(problems);
    }

    /** One line each, in the order of the files and their lines. */
    public List<String> problems() {
        return problems;
    }
}
