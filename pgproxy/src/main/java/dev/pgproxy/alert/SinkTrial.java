package dev.pgproxy.alert;

import dev.pgproxy.config.AlertSettings;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * What came of one test alert to one sink. Immutable.
 *
 * @param sink who
 * @param kind of what kind
 * @param problem why it was not accepted; empty if it was
 */
public record SinkTrial(String sink, String kind, String problem) {
    /** Tells each sink but the log once, one after the other, and waits for each. */
    public static List<SinkTrial> all(AlertSettings settings) {
        List<SinkTrial> trials = new ArrayList<>();
        Alert alert =
                Alert.of(AlertKind.TEST, "pgproxy", "somebody wants to know whether alerts arrive", Instant.now());
        for (Sink sink : Sinks.of(settings)) {
            try (sink) {
                sink.send(alert);
                trials.add(new SinkTrial(sink.name(), sink.kind(), ""));
            } catch (DeliveryFailure e) {
                trials.add(new SinkTrial(sink.name(), sink.kind(), String.valueOf(e.getMessage())));
            }
        }
        return trials;
    }

    /** Whether it was accepted. */
    public boolean isAccepted() {
        return problem.isEmpty();
    }
}
