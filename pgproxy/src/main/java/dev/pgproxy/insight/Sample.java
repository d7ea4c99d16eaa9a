package dev.pgproxy.insight;

import dev.pgproxy.routing.sql.Shape;
import java.util.List;

/**
 * A statement as a session runs it, with all that is needed to ask for its plan. There are its values in it: to be kept in
 * memory and for a moment only. Immutable, if nobody writes to its bytes.
 *
 * @param database by the name that the client asked for
 * @param user as the client logged in
 * @param settings SQL that sets what the session has set
 * @param body of a Query; or what is behind the name in a Parse: the text, a zero, the types of its parameters
 * @param isPrepared whether it is that of a Parse
 * @param hindrance why there can be no plan of it; empty if there can
 */
public record Sample(
        Shape shape,
        String database,
        String user,
        List<String> settings,
        byte[] body,
        boolean isPrepared,
        String hindrance) {
    public Sample {
        settings = List.copyOf(settings);
    }

    /** Without what it says: there are values in it. */
    @Override
    public String toString() {
        return database + "/" + user + " " + shape.fingerprint();
    }
}
