package dev.pgproxy.alert;

/** Somebody who is told of alerts. Thread-safe. */
interface Sink extends AutoCloseable {
    /** Who, for people; no secret. */
    String name();

    /** Of what kind: {@code slack}, {@code pagerduty}, {@code json}, {@code mail}. */
    String kind();

    /** Tells, and waits for some seconds at most until it is taken. Never on an event loop. */
    void send(Alert alert) throws DeliveryFailure;

    @Override
    void close();
}
