package dev.pgproxy.client;

import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionStage;

/**
 * Answers the commands of the console; implemented above, by {@code console.AdminConsole}. Thread-safe: called on
 * clients' loops, it must not block them.
 */
public interface Console {
    /** Before the program is put together. */
    Console NONE = new Console() {
        @Override
        public CompletionStage<List<ConsoleAnswer>> execute(String text, boolean admin) {
            return java.util.concurrent.CompletableFuture.completedFuture(List.of());
        }

        @Override
        public Set<String> tables() {
            return Set.of();
        }
    };

    /**
     * Runs the commands of a text.
     *
     * @param admin whether commands that change anything are allowed
     * @return one answer for each command; an error is the last one
     */
    CompletionStage<List<ConsoleAnswer>> execute(String text, boolean admin);

    /** What SHOW answers with rows, in lower case with single blanks, such as {@code cache misses}. */
    Set<String> tables();
}
