package dev.pgproxy.protocol.auth;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The server's side of one SCRAM-SHA-256 exchange (RFC 5802, RFC 7677; PostgreSQL's src/backend/libpq/auth-scram.c), as
 * pure steps over the bodies of the SASL messages:
 *
 * <pre>
 * AuthenticationSASL          mechanisms(binding)
 * SASLInitialResponse         first(mechanism, client-first) -> server-first: AuthenticationSASLContinue
 * SASLResponse                last(client-final)             -> server-final: AuthenticationSASLFinal
 * </pre>
 *
 * A SASLInitialResponse without a response is answered by an empty AuthenticationSASLContinue; {@code first} then takes
 * the SASLResponse that follows. The user name inside the message is ignored, as PostgreSQL does: the one of the
 * StartupMessage counts. Used once, by one thread at a time; no step takes longer than a few hashes.
 *
 * <p>SQLSTATEs as in {@link ScramFailure}; after a failure the exchange is over.
 */
public final class ScramServer {
    /** The mechanism without channel binding. */
    public static final String SHA_256 = "SCRAM-SHA-256";

    /** The mechanism that is bound to the TLS channel. */
    public static final String SHA_256_PLUS = "SCRAM-SHA-256-PLUS";

    private enum Step {
        FIRST,
        LAST,
        PROVED,
        FAILED
    }

    private final String user;
    private final ScramSecret secret;
    private final @Nullable ChannelBinding binding;
    /** Why this exchange fails at its end whatever the proof; null if the proof decides. */
    private final @Nullable String doom;

    private final String ownNonce;

    private Step step = Step.FIRST;
    private String expectedBinding = "";
    private String nonce = "";
    /** client-first-bare and server-first, each with a comma behind it: how the signed text begins. */
    private String signedSoFar = "";

    private @Nullable ScramKeys keys;

    ScramServer(
            String user, ScramSecret secret, @Nullable ChannelBinding binding, @Nullable String doom, String ownNonce) {
        this.user = user;
        this.secret = secret;
        this.binding = binding;
        this.doom = doom;
        this.ownNonce = ownNonce;
    }

    /** An exchange that the right password wins. A binding is given exactly where the mechanisms were offered with it. */
    public static ScramServer verifying(String user, ScramSecret secret, @Nullable ChannelBinding binding) {
        return new ScramServer(user, secret, binding, null, Nonce.draw());
    }

    /**
     * An exchange that nobody wins, but which looks like the others up to its end: for users that do not exist or have
     * no verifier.
     *
     * @param mockSecret {@link ScramSecret#mock}
     * @param reason what the operator is told
     */
    public static ScramServer mock(
            String user, ScramSecret mockSecret, @Nullable ChannelBinding binding, String reason) {
        return new ScramServer(user, mockSecret, binding, reason, Nonce.draw());
    }

    /** What to offer in AuthenticationSASL, the strongest first. */
    public static List<String> mechanisms(@Nullable ChannelBinding binding) {
        return binding == null ? List.of(SHA_256) : List.of(SHA_256_PLUS, SHA_256);
    }

    /** Reads the mechanism chosen and the client-first-message, and gives the server-first-message. */
    public byte[] first(String mechanism, byte[] clientFirst) throws ScramFailure {
        begin(Step.FIRST);
        if (!mechanisms(binding).contains(mechanism)) {
            throw new ScramFailure(
                    "08P01",
                    "client selected an invalid SASL authentication mechanism",
                    "the client selected a SASL mechanism that was not offered");
        }
        ScramReader in = new ScramReader(clientFirst);
        readBindingFlag(in, mechanism.equals(SHA_256_PLUS));
        in.expect(',');
        if (in.peek() == 'a') {
            throw ScramFailure.unsupported("client uses authorization identity, but it is not supported");
        }
        in.expect(',');
        String bare = in.text().substring(in.position());
        in.value('n');
        String clientNonce = in.nonce();
        while (!in.atEnd()) {
            in.attribute();
        }
        nonce = clientNonce + ownNonce;
        String serverFirst = "r=" + nonce + ",s=" + Base64Text.encode(secret.salt()) + ",i=" + secret.iterations();
        signedSoFar = bare + ',' + serverFirst + ',';
        step = Step.LAST;
        return serverFirst.getBytes(StandardCharsets.ISO_8859_1);
    }

    /** Reads the client-final-message and gives the server-final-message: the client has proved its password. */
    public byte[] last(byte[] clientFinal) throws ScramFailure {
        begin(Step.LAST);
        ScramReader in = new ScramReader(clientFinal);
        String clientBinding = in.value('c');
        String clientNonce = in.nonce();
        int proofAt = in.position();
        while (in.peek() != 'p') {
            in.attribute();
            proofAt = in.position();
        }
        byte[] proof = in.key('p');
        in.expectEnd();
        checkBinding(clientBinding);
        if (!MessageDigest.isEqual(latin1(clientNonce), latin1(nonce))) {
            throw new ScramFailure("08P01", "invalid SCRAM response", "the nonce does not match");
        }
        // the signed text ends before the comma that precedes the proof
        byte[] signed = latin1(signedSoFar + in.text().substring(0, proofAt - 1));
        byte[] clientKey = Hashes.xor(proof, Hashes.hmac(secret.storedKey(), signed));
        boolean proved = MessageDigest.isEqual(Hashes.sha256(clientKey), secret.storedKey());
        String serverFinal = "v=" + Base64Text.encode(Hashes.hmac(secret.serverKey(), signed));
        if (!proved || doom != null) {
            throw new ScramFailure(
                    "28P01",
                    "password authentication failed for user \"" + user + "\"",
                    doom != null ? doom : "the password does not match the SCRAM verifier");
        }
        keys = ScramKeys.of(secret, clientKey);
        step = Step.PROVED;
        return latin1(serverFinal);
    }

    /** What the client has proved to hold: usable towards servers with the same verifier. After {@link #last} only. */
    public ScramKeys keys() {
        if (keys == null) {
            throw new IllegalStateException("nothing is proved");
        }
        return keys;
    }

    /** Each step succeeds at most once, and none after a failure. */
    private void begin(Step expected) {
        if (step != expected) {
            throw new IllegalStateException("the SCRAM exchange is at " + step + ", not at " + expected);
        }
        step = Step.FAILED;
    }

    private void readBindingFlag(ScramReader in, boolean plus) throws ScramFailure {
        switch (in.peek()) {
            case 'n', 'y' -> {
                if (plus) {
                    throw ScramFailure.malformed(
                            "the client selected SCRAM-SHA-256-PLUS, but its message has no channel binding");
                }
                char flag = in.peek();
                if (flag == 'y' && binding != null) {
                    throw new ScramFailure(
                            "28000",
                            "SCRAM channel binding negotiation error",
                            "the client could bind the channel but was told that this server could not:"
                                    + " somebody between them may have removed the offer");
                }
                in.expect(flag);
                expectedBinding = Base64Text.encode(latin1(flag + ",,"));
            }
            case 'p' -> {
                if (!plus || binding == null) {
                    throw ScramFailure.malformed(
                            "the client selected SCRAM-SHA-256, but its message has channel binding");
                }
                readBindingType(in);
                expectedBinding = binding.attribute();
            }
            default -> throw ScramFailure.malformed("unexpected channel-binding flag");
        }
    }

    /** Reads {@code p=type} and leaves its comma to the caller. */
    private static void readBindingType(ScramReader in) throws ScramFailure {
        in.expect('p');
        in.expect('=');
        for (int i = 0; i < ChannelBinding.TYPE.length(); i++) {
            if (in.peek() != ChannelBinding.TYPE.charAt(i)) {
                throw new ScramFailure(
                        "08P01",
                        "unsupported SCRAM channel-binding type",
                        "the client asks for a channel binding other than " + ChannelBinding.TYPE);
            }
            in.expect(in.peek());
        }
    }

    private void checkBinding(String clientBinding) throws ScramFailure {
        if (MessageDigest.isEqual(latin1(clientBinding), latin1(expectedBinding))) {
            return;
        }
        if (binding != null && expectedBinding.equals(binding.attribute())) {
            throw new ScramFailure(
                    "28000",
                    "SCRAM channel binding check failed",
                    "the client is bound to another certificate than the one this server showed:"
                            + " somebody may be between them");
        }
        throw ScramFailure.malformed("unexpected SCRAM channel-binding attribute in client-final-message");
    }

    private static byte[] latin1(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }
}
