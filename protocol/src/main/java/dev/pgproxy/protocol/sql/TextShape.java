package dev.pgproxy.protocol.sql;

/**
 * What is remembered of all texts with one fingerprint, whoever remembers it: {@link QueryFacts} carry it along, so that
 * it is found once for each text and not for each use. Thread-safe.
 */
public interface TextShape {}
