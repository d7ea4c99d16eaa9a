package dev.pgproxy.query;

import dev.pgproxy.config.HostAddress;
import dev.pgproxy.routing.sql.Shape;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A statement that is not answered yet. Immutable.
 *
 * @param since when it was complete, by System.nanoTime
 * @param host who works on it; null = no server yet
 */
public record Active(
        State state, Shape shape, long since, @Nullable HostAddress host) {
    /** How far it has come. */
    public enum State {
        /** For a server, or for something else that it needs to be sent. */
        WAITING,
        /** A server has it, and has answered nothing yet. */
        RUNNING,
        /** The client has had some of the answer. */
        ANSWERING;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }
}
