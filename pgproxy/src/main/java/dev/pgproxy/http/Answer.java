package dev.pgproxy.http;

import dev.pgproxy.json.Json;

/**
 * What a request is answered with. Immutable.
 *
 * @param status of HTTP
 * @param type of the text, as in Content-Type
 */
record Answer(int status, String type, String text) {
    static Answer json(int status, Json body) {
        return new Answer(status, "application/json", body + "\n");
    }

    static Answer plain(int status, String text) {
        return new Answer(status, "text/plain; charset=utf-8", text);
    }

    /** Something went wrong, in a sentence. */
    static Answer problem(int status, String sentence) {
        return json(status, Json.object().put("error", sentence));
    }
}
