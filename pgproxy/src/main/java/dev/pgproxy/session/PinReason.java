package dev.pgproxy.session;

/** Why a session keeps its server beyond a transaction. The text is what SHOW PINS prints. */
public enum PinReason {
    TEMPORARY_OBJECT("temporary object"),
    HELD_CURSOR("cursor WITH HOLD"),
    ADVISORY_LOCK("session advisory lock"),
    LISTENING("LISTEN on the server itself"),
    CHANGED_SETTING("a function changed a setting"),
    PREPARED_BY_FUNCTION("a function prepared a statement"),
    UNPREDICTABLE_STATE("statement with effects on the session that cannot be replayed"),
    MIXED_PIPELINE("query or function call inside a pipeline"),
    SEQUENCE("sequence value for a later currval() or lastval()"),
    PROBE_FAILED("the state of the session could not be probed");

    private final String text;

    PinReason(String text) {
        this.text = text;
    }

    @Override
    public String toString() {
        return text;
    }
}
