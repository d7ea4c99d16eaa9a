package dev.pgproxy.config;

import java.util.Locale;

/** How the connection to a mail server is encrypted. Immutable. */
public enum SmtpTls {
    /** Not at all. */
    NONE,
    /** After a first exchange in clear text; a server that cannot gets no mail. */
    STARTTLS,
    /** From the first byte. */
    TLS;

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
