package dev.pgproxy.protocol.auth;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;

/** Reads the files beside the tests. */
final class Fixtures {
    /** A password and what PostgreSQL stored for it. */
    record Verifier(String label, String hex, String stored) {
        byte[] password() {
            return HexFormat.of().parseHex(hex);
        }

        ScramSecret secret() {
            return Objects.requireNonNull(ScramSecret.parse(stored), stored);
        }

        @Override
        public String toString() {
            return label;
        }
    }

    private Fixtures() {}

    static List<Verifier> verifiers() {
        return new String(bytes("verifiers.tsv"), StandardCharsets.UTF_8)
                .lines()
                .filter(line -> !line.startsWith("#"))
                .map(line -> line.split("\t", -1))
                .map(f -> new Verifier(f[0], f[1], f[2]))
                .toList();
    }

    static X509Certificate certificate(String file) {
        try (InputStream in = open(file)) {
            return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static ChannelBinding binding(String file) {
        return Objects.requireNonNull(ChannelBinding.of(certificate(file)), file);
    }

    private static byte[] bytes(String file) {
        try (InputStream in = open(file)) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static InputStream open(String file) {
        return Objects.requireNonNull(Fixtures.class.getResourceAsStream(file), file);
    }
}
