package dev.pgproxy.auth;

import org.jspecify.annotations.Nullable;

/** How a rule wants a client to prove who it is (PostgreSQL's manual, "Authentication Methods"). Immutable. */
public enum AuthMethod {
    /** Not at all. */
    TRUST("trust"),
    /** In no way: the connection is refused. */
    REJECT("reject"),
    /** By the password in clear text. */
    PASSWORD("password"),
    /** By the MD5 answer, or by SCRAM where a SCRAM verifier is stored. */
    MD5("md5"),
    /** By SCRAM-SHA-256, bound to the channel where both sides can. */
    SCRAM("scram-sha-256"),
    /** By a client certificate whose common name is the user. */
    CERT("cert"),
    /** By the operating system's name of the process behind the unix socket. */
    PEER("peer");

    private final String hbaName;

    AuthMethod(String hbaName) {
        this.hbaName = hbaName;
    }

    /** The name in {@code pg_hba.conf}. */
    public String hbaName() {
        return hbaName;
    }

    /** The method of that name, or null. */
    static @Nullable AuthMethod named(String hbaName) {
        for (AuthMethod method : values()) {
            if (method.hbaName.equals(hbaName)) {
                return method;
            }
        }
        return null;
    }

    /**
     * The exchange to go through with this user. As in PostgreSQL, {@code md5} becomes SCRAM where a SCRAM verifier is
     * stored, and also where nothing is stored or the user does not exist: then the exchange fails at its end, and looks
     * like that of the users who have one.
     *
     * @param secret what is stored; null for an unknown user
     */
    public AuthMethod with(@Nullable UserSecret secret) {
        boolean answersMd5 = secret instanceof UserSecret.PlainPassword || secret instanceof UserSecret.Md5Hash;
        return this == MD5 && !answersMd5 ? SCRAM : this;
    }
}
