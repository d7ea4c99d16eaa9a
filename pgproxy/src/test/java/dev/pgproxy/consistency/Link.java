package dev.pgproxy.consistency;

import java.util.List;

/** A session's connection to what is tested. Confined to its session, but for {@link #cancel}. */
interface Link extends AutoCloseable {
    /** How statements are sent. */
    enum Style {
        SIMPLE,
        UNNAMED,
        NAMED
    }

    /** Sends statements as one exchange, a multi-statement query or a pipeline, and waits for the whole answer. */
    Answer run(Style style, List<Sql> statements);

    /** Sends statements as a Query and is gone before the answer; false, and nothing, if it cannot do that. */
    default boolean cut(List<Sql> statements) {
        return false;
    }

    /** Asks to cancel what runs, from any thread, and never fails. */
    void cancel();

    /** Who answered last; empty where a client cannot know. */
    default String host() {
        return "";
    }

    @Override
    void close();

    /** Rows as text and the count of the command tag, of one statement. */
    record Result(List<List<String>> rows, long count) {}

    /**
     * An answer up to ReadyForQuery.
     *
     * @param results of the statements before the error, or of all
     * @param sqlState of the error, or empty
     * @param isLost the connection is of no use any more, and what was not answered may have happened
     */
    record Answer(List<Result> results, String sqlState, String error, boolean isLost) {
        /** How the text begins where nothing came for 20 s, which no disturbance explains. */
        static final String SILENCE = "no answer";

        /** How the text begins where the driver cannot read the answer. */
        static final String GARBLED = "an answer that is none to this";

        static Answer of(List<Result> results, String sqlState, String error, boolean isClosed) {
            boolean dying = sqlState.startsWith("08") || sqlState.startsWith("57P");
            return new Answer(results, sqlState, error, isClosed || dying);
        }

        boolean isOk() {
            return sqlState.isEmpty() && !isLost;
        }
    }

    /** Opens connections. Thread-safe. */
    interface Target {
        /** A new connection for a session with this number, or an exception while none can be had. */
        Link open(int session);
    }
}
