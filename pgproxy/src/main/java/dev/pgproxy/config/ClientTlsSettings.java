package dev.pgproxy.config;

import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * TLS towards clients. Immutable.
 *
 * @param sslMode what clients must do; allow and prefer both leave it to them
 * @param keyFile our private key, PEM; null = none
 * @param keyPassword opens the key file; null = it is not encrypted
 * @param certFile our certificate and its chain, PEM; null = none
 * @param caFile authorities of client certificates, PEM; null = none are asked for
 * @param protocols versions of TLS that are allowed
 * @param ciphers suites that are allowed, by Java's names; empty = Java's choice
 */
public record ClientTlsSettings(
        SslMode sslMode,
        @Nullable Path keyFile,
        @Nullable Secret keyPassword,
        @Nullable Path certFile,
        @Nullable Path caFile,
        List<String> protocols,
        List<String> ciphers) {
    static final SettingGroup GROUP = new SettingGroup("TLS towards clients");
    static final Setting<SslMode> SSLMODE = GROUP.live(
            "client_tls_sslmode",
            SettingTypes.choice(SslMode.class),
            SslMode.DISABLE,
            "disable; allow or prefer = as the client likes; require; verify-ca or verify-full = with a client certificate.");
    static final Setting<Path> KEY_FILE =
            GROUP.live("client_tls_key_file", SettingTypes.path(), null, "Our private key, PEM.");
    static final Setting<Secret> KEY_PASSWORD = GROUP.live(
            "client_tls_key_password", SettingTypes.secret(), null, "Password of that key; empty = it has none.");
    static final Setting<Path> CERT_FILE =
            GROUP.live("client_tls_cert_file", SettingTypes.path(), null, "Our certificate with its chain, PEM.");
    static final Setting<Path> CA_FILE = GROUP.live(
            "client_tls_ca_file", SettingTypes.path(), null, "Authorities that sign client certificates, PEM.");
    static final Setting<List<String>> PROTOCOLS = GROUP.live(
            "client_tls_protocols",
            SettingTypes.list(SettingTypes.tlsProtocol()),
            List.of("TLSv1.2", "TLSv1.3"),
            "Versions of TLS that are allowed.");
    static final Setting<List<String>> CIPHERS = GROUP.live(
            "client_tls_ciphers",
            SettingTypes.list(SettingTypes.tlsCipher()),
            List.of(),
            "Cipher suites that are allowed, by Java's names; [] = Java's choice.");

    static ClientTlsSettings from(SettingValues values) {
        return new ClientTlsSettings(
                values.get(SSLMODE),
                values.find(KEY_FILE),
                values.find(KEY_PASSWORD),
                values.find(CERT_FILE),
                values.find(CA_FILE),
                values.get(PROTOCOLS),
                values.get(CIPHERS));
    }
}
