package dev.pgproxy.config;

/** How clients prove who they are, where no HBA rule says otherwise. */
public enum AuthType {
    /** Anyone is believed; the user must exist. */
    TRUST("trust"),
    /** The password in clear text. */
    PLAIN("plain"),
    /** The MD5 exchange; SCRAM where the user's secret is a SCRAM verifier. */
    MD5("md5"),
    /** SCRAM-SHA-256, and SCRAM-SHA-256-PLUS over TLS. */
    SCRAM_SHA_256("scram-sha-256"),
    /** A client certificate whose common name is the user. */
    CERT("cert"),
    /** As the rules of {@code auth_hba_file} say. */
    HBA("hba");

    private final String text;

    AuthType(String text) {
        this.text = text;
    }

    @Override
    public String toString() {
        return text;
    }
}
