package dev.pgproxy.query;

/**
 * Writes whose outcome nobody waits for any more. One of the two is to be called, once. Thread-safe.
 *
 * @param known the outcome is decided, whatever it is: the server is idle again
 * @param unknown the connection was lost: they stay in doubt until the server process has gone
 */
record OpenWrites(Runnable known, Runnable unknown) {}
