package dev.pgproxy.protocol.auth;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.cert.X509Certificate;
import java.security.spec.PSSParameterSpec;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The channel binding {@code tls-server-end-point} (RFC 5929 section 4): a hash of the certificate that the server
 * showed. Both ends sign it, so somebody between them with another certificate is noticed. Immutable.
 *
 * <p>The hash is the one that the certificate's signature uses, or SHA-256 where that is MD5 or SHA-1.
 */
public final class ChannelBinding {
    static final String TYPE = "tls-server-end-point";
    static final String GS2_HEADER = "p=" + TYPE + ",,";

    private static final String PSS = "RSASSA-PSS";

    private final byte[] hash;

    private ChannelBinding(byte[] hash) {
        this.hash = hash;
    }

    /**
     * The binding to this certificate of the server; null where its signature names no hash (Ed25519, Ed448): then
     * neither libpq nor PostgreSQL can bind, and the PLUS mechanism must not be offered or chosen.
     */
    public static @Nullable ChannelBinding of(X509Certificate certificate) {
        try {
            String algorithm = hashOf(certificate);
            return algorithm == null
                    ? null
                    : new ChannelBinding(MessageDigest.getInstance(algorithm).digest(certificate.getEncoded()));
        } catch (GeneralSecurityException | IOException e) {
            return null;
        }
    }

    /** The hash of the certificate. */
    public byte[] hash() {
        return hash.clone();
    }

    /** Attribute {@code c} of a client-final-message that is bound to this: GS2 header and hash, in base64. */
    String attribute() {
        byte[] header = GS2_HEADER.getBytes(StandardCharsets.ISO_8859_1);
        byte[] input = new byte[header.length + hash.length];
        System.arraycopy(header, 0, input, 0, header.length);
        System.arraycopy(hash, 0, input, header.length, hash.length);
        return Base64Text.encode(input);
    }

    private static @Nullable String hashOf(X509Certificate certificate) throws GeneralSecurityException, IOException {
        String signature = certificate.getSigAlgName().toUpperCase(Locale.ROOT);
        if (signature.equals(PSS)) {
            AlgorithmParameters parameters = AlgorithmParameters.getInstance(PSS);
            parameters.init(certificate.getSigAlgParams());
            return strengthened(
                    parameters.getParameterSpec(PSSParameterSpec.class).getDigestAlgorithm());
        }
        int with = signature.indexOf("WITH");
        return with < 0 ? null : strengthened(signature.substring(0, with));
    }

    /** The JDK's name of the hash; signatures spell SHA-384 as SHA384. */
    private static String strengthened(String hash) {
        return switch (hash) {
            case "MD5", "SHA1", "SHA-1" -> "SHA-256";
            default ->
                hash.startsWith("SHA") && Character.isDigit(hash.charAt(3)) && !hash.startsWith("SHA3-")
                        ? "SHA-" + hash.substring(3)
                        : hash;
        };
    }
}
