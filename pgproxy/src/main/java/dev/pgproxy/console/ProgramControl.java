package dev.pgproxy.console;

import dev.pgproxy.advice.Advisor;
import dev.pgproxy.config.ConfigChanges;
import dev.pgproxy.config.ProxyConfig;
import java.util.Set;
import java.util.concurrent.CompletionStage;

/** What the console asks of the program as a whole. Implemented by the composition root; thread-safe, never blocks. */
public interface ProgramControl {
    /** The configuration in force. */
    ProxyConfig config();

    /** Names of users that have a secret in the configuration or in {@code auth_file}. */
    Set<String> users();

    /** RELOAD; fails with ConfigProblems or IOException, and has then changed nothing. */
    CompletionStage<ConfigChanges> reload();

    /** SET; fails as {@link #reload} does. */
    CompletionStage<ProxyConfig> set(String key, String value);

    /** Begins to stop. */
    void shutdown(ShutdownMode mode);

    /** What would make statements cheaper. */
    Advisor advisor();

    /** The version, such as {@code 1.0.0}. */
    String version();
}
