package dev.pgproxy.testing;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.util.Base64;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import javax.crypto.Mac;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;
import javax.crypto.spec.SecretKeySpec;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;

/**
 * The client's side of password authentication, written only for tests: MD5, and one exchange of SCRAM-SHA-256 or, over
 * TLS, SCRAM-SHA-256-PLUS with {@code tls-server-end-point}. ASCII passwords only. One object per exchange. Source: RFC
 * 5802, RFC 7677, RFC 5929; the manual, "SASL Authentication".
 */
final class PasswordProof {
    static final String SCRAM = "SCRAM-SHA-256";
    static final String SCRAM_PLUS = "SCRAM-SHA-256-PLUS";

    private final String password;
    private final String header;
    private final byte[] binding;
    private final String nonce;
    private String serverSignature = "";

    private PasswordProof(String password, String header, byte[] binding) {
        this.password = password;
        this.header = header;
        this.binding = binding;
        byte[] random = new byte[18];
        new SecureRandom().nextBytes(random);
        this.nonce = Base64.getEncoder().encodeToString(random);
    }

    static PasswordProof scram(String password) {
        return new PasswordProof(password, "n,,", new byte[0]);
    }

    static PasswordProof scramPlus(String password, SSLSession session) {
        return new PasswordProof(password, "p=tls-server-end-point,,", certificateHash(session));
    }

    String mechanism() {
        return header.startsWith("p") ? SCRAM_PLUS : SCRAM;
    }

    /** The user name is left empty: PostgreSQL takes it from the startup message. */
    String first() {
        return header + bare();
    }

    String last(String serverFirst) {
        Map<Character, String> server = attributes(serverFirst);
        String fullNonce = attribute(server, 'r');
        if (!fullNonce.startsWith(nonce) || fullNonce.length() == nonce.length()) {
            throw new AssertionError("the server's nonce does not extend ours");
        }
        byte[] salt = Base64.getDecoder().decode(attribute(server, 's'));
        byte[] salted = saltedPassword(salt, Integer.parseInt(attribute(server, 'i')));
        byte[] cbind = concatenated(header.getBytes(UTF_8), binding);
        String withoutProof = "c=" + Base64.getEncoder().encodeToString(cbind) + ",r=" + fullNonce;
        String all = bare() + "," + serverFirst + "," + withoutProof;
        byte[] clientKey = hmac(salted, "Client Key");
        byte[] proof = hmac(sha256(clientKey), all);
        for (int i = 0; i < proof.length; i++) {
            proof[i] ^= clientKey[i];
        }
        serverSignature = Base64.getEncoder().encodeToString(hmac(hmac(salted, "Server Key"), all));
        return withoutProof + ",p=" + Base64.getEncoder().encodeToString(proof);
    }

    void verify(String serverFinal) {
        if (!attribute(attributes(serverFinal), 'v').equals(serverSignature)) {
            throw new AssertionError("the server does not know the password: " + serverFinal);
        }
    }

    static String md5(String user, String password, byte[] salt) {
        String inner = HexFormat.of().formatHex(digest("MD5", (password + user).getBytes(UTF_8)));
        return "md5" + HexFormat.of().formatHex(digest("MD5", concatenated(inner.getBytes(UTF_8), salt)));
    }

    private String bare() {
        return "n=,r=" + nonce;
    }

    private byte[] saltedPassword(byte[] salt, int iterations) {
        try {
            PBEKeySpec spec = new PBEKeySpec(password.toCharArray(), salt, iterations, 256);
            return SecretKeyFactory.getInstance("PBKDF2WithHmacSHA256")
                    .generateSecret(spec)
                    .getEncoded();
        } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    /** RFC 5929: the hash of the certificate's own signature, but SHA-256 instead of MD5 and SHA-1. */
    private static byte[] certificateHash(SSLSession session) {
        try {
            X509Certificate certificate = (X509Certificate) session.getPeerCertificates()[0];
            String signature = certificate.getSigAlgName();
            String hash =
                    signature.startsWith("SHA384") ? "SHA-384" : signature.startsWith("SHA512") ? "SHA-512" : "SHA-256";
            return digest(hash, certificate.getEncoded());
        } catch (SSLPeerUnverifiedException | GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    private static Map<Character, String> attributes(String message) {
        Map<Character, String> attributes = new HashMap<>();
        for (String part : message.split(",", -1)) {
            attributes.put(part.charAt(0), part.substring(2));
        }
        return attributes;
    }

    private static String attribute(Map<Character, String> attributes, char name) {
        @Nullable String value = attributes.get(name);
        if (value == null) {
            throw new AssertionError("no attribute " + name + " in the server's SCRAM message");
        }
        return value;
    }

    private static byte[] hmac(byte[] key, String text) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            return mac.doFinal(text.getBytes(ISO_8859_1));
        } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    private static byte[] sha256(byte[] bytes) {
        return digest("SHA-256", bytes);
    }

    private static byte[] digest(String algorithm, byte[] bytes) {
        try {
            return MessageDigest.getInstance(algorithm).digest(bytes);
        } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    private static byte[] concatenated(byte[] first, byte[] second) {
        byte[] both = new byte[first.length + second.length];
        System.arraycopy(first, 0, both, 0, first.length);
        System.arraycopy(second, 0, both, first.length, second.length);
        return both;
    }
}
