package dev.pgproxy.protocol.auth;

import java.nio.charset.StandardCharsets;

/**
 * Walks over the attributes of one SCRAM message (RFC 5802 section 5.1: {@code x=value}, separated by commas). The text
 * is Latin-1, one character per byte, so that what goes into the signature is exactly what came. Confined to one call.
 */
final class ScramReader {
    private final String text;
    private int at;

    ScramReader(byte[] message) throws ScramFailure {
        text = new String(message, StandardCharsets.ISO_8859_1);
        if (text.isEmpty()) {
            throw ScramFailure.malformed("the message is empty");
        }
        if (text.indexOf('\0') >= 0) {
            throw ScramFailure.malformed("the message contains a zero byte");
        }
    }

    int position() {
        return at;
    }

    String text() {
        return text;
    }

    boolean atEnd() {
        return at == text.length();
    }

    /** The character ahead; 0 at the end, which no message contains. */
    char peek() {
        return atEnd() ? '\0' : text.charAt(at);
    }

    void expect(char expected) throws ScramFailure {
        if (peek() != expected) {
            throw ScramFailure.malformed("'" + expected + "' expected at byte " + at);
        }
        at++;
    }

    /** Reads {@code name=value} and the comma behind it, and gives the value. */
    String value(char name) throws ScramFailure {
        if (peek() != name) {
            throw ScramFailure.malformed("attribute '" + name + "' expected at byte " + at);
        }
        return attribute();
    }

    /** Reads an attribute of any name but {@code m}, by which the peer would insist on an extension. */
    String attribute() throws ScramFailure {
        char name = peek();
        char lower = Character.toLowerCase(name);
        if (lower < 'a' || lower > 'z') {
            throw ScramFailure.malformed("attribute expected at byte " + at);
        }
        if (name == 'm') {
            throw ScramFailure.unsupported("the peer requires an unsupported SCRAM extension");
        }
        at++;
        expect('=');
        int comma = text.indexOf(',', at);
        String value = text.substring(at, comma < 0 ? text.length() : comma);
        at += value.length();
        if (comma >= 0) {
            at++;
            if (atEnd()) {
                throw ScramFailure.malformed("attribute expected at byte " + at);
            }
        }
        return value;
    }

    /** Reads the nonce {@code r}: at least one printable ASCII character. */
    String nonce() throws ScramFailure {
        String nonce = value('r');
        if (nonce.isEmpty() || !nonce.chars().allMatch(c -> c > ' ' && c < 0x7f)) {
            throw ScramFailure.malformed("the nonce is empty or not printable");
        }
        return nonce;
    }

    /** Reads an attribute of 32 bytes in base64. */
    byte[] key(char name) throws ScramFailure {
        byte[] key = Base64Text.decode(value(name));
        if (key == null || key.length != Hashes.LENGTH) {
            throw ScramFailure.malformed("attribute '" + name + "' is not 32 bytes in base64");
        }
        return key;
    }

    void expectEnd() throws ScramFailure {
        if (!atEnd()) {
            throw ScramFailure.malformed("garbage at the end of the message");
        }
    }
}
