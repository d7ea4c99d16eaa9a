/** What a client may say before the first typed message: start-up, SSLRequest, GSSENCRequest, CancelRequest. */
@NullMarked
package dev.pgproxy.protocol.startup;

import org.jspecify.annotations.NullMarked;
