package dev.pgproxy.protocol.sql;

/** What a text asks for in a comment, whoever understands it: {@link QueryFacts} carry it along. Immutable. */
public interface TextHint {}
