package dev.pgproxy.protocol.startup;

import java.util.Map;

/** What a client may say first. Immutable. Source: manual, "Message Formats". */
public sealed interface InitialMessage {
    /** Code of CancelRequest: 1234, 5678. */
    int CANCEL_REQUEST = 80877102;

    /** Code of SSLRequest: 1234, 5679. */
    int SSL_REQUEST = 80877103;

    /** Code of GSSENCRequest: 1234, 5680. */
    int GSSENC_REQUEST = 80877104;

    /** Protocol 3.0. */
    int VERSION_3_0 = 3 << 16;

    /** Protocol 3.2, the newest there is. */
    int VERSION_3_2 = 3 << 16 | 2;

    /**
     * StartupMessage.
     *
     * @param version major in the upper, minor in the lower 16 bits
     * @param parameters in the order sent; names starting with {@code _pq_.} are protocol options
     */
    record Startup(int version, Map<String, String> parameters) implements InitialMessage {
        /** Minor version. */
        public int minor() {
            return version & 0xffff;
        }
    }

    /** SSLRequest. */
    record SslRequest() implements InitialMessage {}

    /** GSSENCRequest. */
    record GssEncRequest() implements InitialMessage {}

    /**
     * CancelRequest.
     *
     * @param secret 4 bytes in protocol 3.0, up to 256 in 3.2
     */
    record CancelRequest(int processId, byte[] secret) implements InitialMessage {}
}
