package dev.pgproxy.health.failover;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What several replicas say that are asked at once. */
final class Answers {
    private static final Logger LOG = LoggerFactory.getLogger(Answers.class);

    private Answers() {}

    /** Those that there are, in the order of the questions. Waits for all of them. */
    static <T> List<T> of(ExecutorService asking, List<Callable<T>> questions) {
        List<T> answers = new ArrayList<>();
        try {
            for (Future<T> answer : asking.invokeAll(questions)) {
                try {
                    answers.add(answer.get());
                } catch (ExecutionException e) {
                    LOG.debug("a replica does not answer", e.getCause());
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return answers;
    }
}
