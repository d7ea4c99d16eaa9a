package dev.pgproxy.testing;

import dev.pgproxy.demo.Trees;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyStore;
import java.security.SecureRandom;
import java.security.cert.Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/**
 * An authority of its own and what it has signed, as PEM files in a temporary directory, made by the JDK's keytool.
 * Elliptic curves, SHA-256. Not thread-safe.
 */
public final class TestCertificates {
    private static final String STORE_PASSWORD = "changeit";
    private static final String AUTHORITY = "authority";
    private static @Nullable TestCertificates shared;

    private final Path directory;
    private final Path store;
    private int issued;

    /** A certificate and its private key. */
    public record Issued(String alias, Path certificate, Path key) {}

    /** A new authority. */
    public TestCertificates() {
        try {
            directory = Files.createTempDirectory("pgproxy-certificates-");
            Runtime.getRuntime().addShutdownHook(new Thread(() -> delete(directory), "test-certificates-delete"));
            store = directory.resolve("all.p12");
            keytool("-alias", AUTHORITY, "-dname", "CN=pgproxy test authority", "-ext", "bc:critical=ca:true");
            writePem(
                    directory.resolve("ca.crt"),
                    "CERTIFICATE",
                    open().getCertificate(AUTHORITY).getEncoded());
        } catch (IOException | GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    private static void delete(Path folder) {
        try {
            Trees.delete(folder);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The authority that the tests of this JVM share. */
    public static synchronized TestCertificates shared() {
        TestCertificates made = shared == null ? new TestCertificates() : shared;
        shared = made;
        return made;
    }

    /** The authority's certificate. */
    public Path authority() {
        return directory.resolve("ca.crt");
    }

    /** Signs a new key; alternative names as {@code dns:localhost,ip:127.0.0.1}, or empty. */
    public Issued issue(String commonName, String alternativeNames) {
        return issue(commonName, alternativeNames, List.of());
    }

    /** The same, which expires in so many seconds. */
    public Issued issueFor(int seconds, String commonName, String alternativeNames) {
        return issue(commonName, alternativeNames, List.of("-startdate", "-1d+" + seconds + "S", "-validity", "1"));
    }

    private Issued issue(String commonName, String alternativeNames, List<String> more) {
        String alias = "issued-" + ++issued;
        List<String> arguments =
                new ArrayList<>(List.of("-alias", alias, "-dname", "CN=" + commonName, "-signer", AUTHORITY));
        arguments.addAll(more);
        if (!alternativeNames.isEmpty()) {
            arguments.addAll(List.of("-ext", "san=" + alternativeNames));
        }
        try {
            keytool(arguments.toArray(String[]::new));
            KeyStore keys = open();
            Path certificate = directory.resolve(alias + ".crt");
            Path key = directory.resolve(alias + ".key");
            writePem(certificate, "CERTIFICATE", keys.getCertificate(alias).getEncoded());
            Key secret = keys.getKey(alias, STORE_PASSWORD.toCharArray());
            writePem(key, "PRIVATE KEY", secret.getEncoded());
            return new Issued(alias, certificate, key);
        } catch (IOException | GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    /** TLS for a client that trusts this authority and shows a certificate, if one is given. */
    public SSLContext client(@Nullable Issued own) {
        try {
            KeyStore trusted = KeyStore.getInstance("PKCS12");
            trusted.load(null, null);
            KeyStore all = open();
            trusted.setCertificateEntry(AUTHORITY, all.getCertificate(AUTHORITY));
            TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trust.init(trusted);
            KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            KeyStore mine = KeyStore.getInstance("PKCS12");
            mine.load(null, null);
            if (own != null) {
                char[] password = STORE_PASSWORD.toCharArray();
                Certificate[] chain = all.getCertificateChain(own.alias());
                mine.setKeyEntry(own.alias(), all.getKey(own.alias(), password), password, chain);
            }
            keys.init(mine, STORE_PASSWORD.toCharArray());
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(keys.getKeyManagers(), trust.getTrustManagers(), new SecureRandom());
            return context;
        } catch (IOException | GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    private KeyStore open() throws IOException, GeneralSecurityException {
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(store)) {
            keys.load(in, STORE_PASSWORD.toCharArray());
        }
        return keys;
    }

    private void keytool(String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-keyalg",
                "EC",
                "-groupname",
                "secp256r1",
                "-validity",
                "2",
                "-storetype",
                "PKCS12",
                "-keystore",
                store.toString(),
                "-storepass",
                STORE_PASSWORD));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        try {
            if (process.waitFor() != 0) {
                throw new IOException("keytool: " + output);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        }
    }

    private static void writePem(Path file, String type, byte[] der) throws IOException {
        String body = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der);
        Files.writeString(file, "-----BEGIN " + type + "-----\n" + body + "\n-----END " + type + "-----\n");
    }
}
