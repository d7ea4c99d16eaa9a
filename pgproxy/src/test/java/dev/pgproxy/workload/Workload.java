package dev.pgproxy.workload;

import dev.pgproxy.testing.Endpoint;
import java.util.List;

/**
 * What an application does, and which of its reads are N+1. Immutable.
 *
 * @param name of the application, too
 * @param expected what is N+1 of it; nothing else may be reported
 */
public record Workload(String name, App.Driver driver, List<Expected> expected, Script script) {
    /** A read that is N+1, by a part of its text, and its parent. */
    public record Expected(String child, String parent) {}

    /** What is done. */
    @FunctionalInterface
    public interface Script {
        void run(App app) throws Exception;
    }

    static Workload clean(String name, App.Driver driver, Script script) {
        return new Workload(name, driver, List.of(), script);
    }

    /** Does it once, on a connection of its own. */
    public void run(Endpoint endpoint) {
        try (App app = new App(endpoint, name, driver)) {
            script.run(app);
        } catch (Exception e) {
            throw new AssertionError(name, e);
        }
    }
}
