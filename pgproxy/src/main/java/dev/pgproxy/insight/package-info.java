/**
 * What statements cost, whoever runs them: figures for each statement, user, application and host, and the slowest of late.
 * Knows shapes and moments, nothing of messages or sockets. Literals and parameters never come here.
 */
@NullMarked
package dev.pgproxy.insight;

import org.jspecify.annotations.NullMarked;
