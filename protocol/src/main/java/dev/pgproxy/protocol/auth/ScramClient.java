package dev.pgproxy.protocol.auth;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Collection;
import org.jspecify.annotations.Nullable;

/**
 * The client's side of one SCRAM-SHA-256 exchange (RFC 5802, RFC 7677; PostgreSQL's
 * src/interfaces/libpq/fe-auth-scram.c), as pure steps over the bodies of the SASL messages:
 *
 * <pre>
 * AuthenticationSASL          a factory picks the mechanism
 *                             first()            -> client-first: SASLInitialResponse with mechanism()
 * AuthenticationSASLContinue  last(server-first) -> client-final: SASLResponse
 * AuthenticationSASLFinal     verify(server-final)
 * </pre>
 *
 * AuthenticationOk counts only after {@code verify}: a server that skips it has not proved that it knows the password.
 * Used once, by one thread at a time. {@code last} takes milliseconds where it has to derive keys from a password.
 *
 * <p>SQLSTATEs as in {@link ScramFailure}.
 */
public final class ScramClient {
    /** More than this from a server is refused: deriving would keep a core busy for its sake. */
    public static final int MAX_ITERATIONS = 1_000_000;

    private enum Step {
        FIRST,
        LAST,
        VERIFY,
        PROVED,
        FAILED
    }

    private final byte @Nullable [] password;
    private final boolean plus;
    /** What the client-final-message says in {@code c}, in base64. */
    private final String bindingAttribute;

    private final String gs2Header;
    private final String bare;
    private final String ownNonce;

    private @Nullable ScramKeys keys;
    private Step step = Step.FIRST;
    private byte[] expectedSignature = {};

    ScramClient(
            byte @Nullable [] password,
            @Nullable ScramKeys keys,
            Collection<String> offered,
            @Nullable ChannelBinding binding,
            String user,
            String ownNonce)
            throws ScramFailure {
        this.password = password;
        this.keys = keys;
        this.ownNonce = ownNonce;
        bare = "n=" + user + ",r=" + ownNonce;
        plus = binding != null && offered.contains(ScramServer.SHA_256_PLUS);
        if (!plus && !offered.contains(ScramServer.SHA_256)) {
            throw new ScramFailure(
                    "28000",
                    "none of the server's SASL authentication mechanisms are supported",
                    "the server offers " + offered);
        }
        if (binding != null && plus) {
            gs2Header = ChannelBinding.GS2_HEADER;
            bindingAttribute = binding.attribute();
        } else {
            // 'y' lets the server notice that somebody has removed its offer
            gs2Header = binding != null ? "y,," : "n,,";
            bindingAttribute = Base64Text.encode(latin1(gs2Header));
        }
    }

    /**
     * An exchange with a password.
     *
     * @param password its bytes in UTF-8
     * @param known keys derived from this password before, used if the server's salt and iterations are still theirs
     * @param offered the mechanisms of AuthenticationSASL
     * @param binding of the server's certificate; null without TLS, and where the certificate permits none
     */
    public static ScramClient withPassword(
            byte[] password, @Nullable ScramKeys known, Collection<String> offered, @Nullable ChannelBinding binding)
            throws ScramFailure {
        return new ScramClient(password.clone(), known, offered, binding, "", Nonce.draw());
    }

    /** An exchange with keys only: refused if the server's salt or iterations are not theirs. */
    public static ScramClient withKeys(ScramKeys keys, Collection<String> offered, @Nullable ChannelBinding binding)
            throws ScramFailure {
        return new ScramClient(null, keys, offered, binding, "", Nonce.draw());
    }

    /** The mechanism to name in SASLInitialResponse; the PLUS one if the channel is bound. */
    public String mechanism() {
        return plus ? ScramServer.SHA_256_PLUS : ScramServer.SHA_256;
    }

    /** The client-first-message. */
    public byte[] first() {
        begin(Step.FIRST);
        step = Step.LAST;
        return latin1(gs2Header + bare);
    }

    /** Reads the server-first-message and gives the client-final-message. */
    public byte[] last(byte[] serverFirst) throws ScramFailure {
        begin(Step.LAST);
        ScramReader in = new ScramReader(serverFirst);
        String nonce = in.nonce();
        if (nonce.length() <= ownNonce.length() || !nonce.startsWith(ownNonce)) {
            throw new ScramFailure("08P01", "invalid SCRAM response (nonce mismatch)", "the server changed our nonce");
        }
        byte[] salt = Base64Text.decode(in.value('s'));
        if (salt == null || salt.length == 0) {
            throw ScramFailure.malformed("the salt is not base64");
        }
        int iterations = iterations(in.value('i'));
        in.expectEnd();

        ScramKeys fitting = fittingKeys(salt, iterations);
        String withoutProof = "c=" + bindingAttribute + ",r=" + nonce;
        byte[] signed = latin1(bare + ',' + in.text() + ',' + withoutProof);
        byte[] proof = Hashes.xor(fitting.clientKey(), Hashes.hmac(fitting.storedKey(), signed));
        expectedSignature = Hashes.hmac(fitting.serverKey(), signed);
        keys = fitting;
        step = Step.VERIFY;
        return latin1(withoutProof + ",p=" + Base64Text.encode(proof));
    }

    /** Reads the server-final-message: the server, too, has proved that it knows the password. */
    public void verify(byte[] serverFinal) throws ScramFailure {
        begin(Step.VERIFY);
        ScramReader in = new ScramReader(serverFinal);
        if (in.peek() == 'e') {
            String error = in.value('e');
            throw new ScramFailure(
                    "28000",
                    "error received from server in SCRAM exchange",
                    "the server reports the SCRAM error \"" + printable(error) + "\"");
        }
        byte[] signature = in.key('v');
        in.expectEnd();
        if (!MessageDigest.isEqual(signature, expectedSignature)) {
            throw new ScramFailure(
                    "28000", "incorrect server signature", "the server did not prove that it knows the password");
        }
        step = Step.PROVED;
    }

    /** Whether the server has proved itself: only then may AuthenticationOk be believed. */
    public boolean proved() {
        return step == Step.PROVED;
    }

    /** The keys that were used, worth keeping for the next exchange with this server. After {@link #verify} only. */
    public ScramKeys keys() {
        if (step != Step.PROVED || keys == null) {
            throw new IllegalStateException("nothing is proved");
        }
        return keys;
    }

    private ScramKeys fittingKeys(byte[] salt, int iterations) throws ScramFailure {
        if (keys != null && keys.fit(salt, iterations)) {
            return keys;
        }
        if (password == null) {
            boolean otherCount = keys != null && keys.iterations() != iterations;
            throw new ScramFailure(
                    "28000",
                    "the client's SCRAM keys do not fit this server",
                    "the server's verifier has another " + (otherCount ? "iteration count" : "salt")
                            + " than the one the client logged in with: use the same verifier on both,"
                            + " or give pgproxy the password");
        }
        if (iterations > MAX_ITERATIONS) {
            throw new ScramFailure(
                    "28000",
                    "the server's SCRAM iteration count is too high",
                    "the server asks for " + iterations + " iterations; at most " + MAX_ITERATIONS + " are computed");
        }
        return ScramKeys.derive(password, salt, iterations);
    }

    private static int iterations(String text) throws ScramFailure {
        try {
            int iterations = Integer.parseInt(text);
            if (iterations > 0 && text.charAt(0) != '+') {
                return iterations;
            }
        } catch (NumberFormatException e) {
            // falls through to the refusal
        }
        throw ScramFailure.malformed("the iteration count is not a positive number");
    }

    /** What a peer wrote, fit for a log line. */
    private static String printable(String text) {
        String plain = text.replaceAll("[^ -~]", "?");
        return plain.substring(0, Math.min(plain.length(), 100));
    }

    private void begin(Step expected) {
        if (step != expected) {
            throw new IllegalStateException("the SCRAM exchange is at " + step + ", not at " + expected);
        }
        step = Step.FAILED;
    }

    private static byte[] latin1(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }
}
