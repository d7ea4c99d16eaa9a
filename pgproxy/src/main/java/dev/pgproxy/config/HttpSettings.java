package dev.pgproxy.config;

import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Where metrics and health are answered over HTTP, and to whom. Immutable.
 *
 * @param addr names or addresses, {@code *} = all; empty = no HTTP
 * @param port 0 = a free port, chosen by the system
 * @param user who may ask, by basic authentication; null = nobody so
 * @param password of that user
 * @param token with which anybody may ask; null = nobody so
 * @param tls whether it is HTTPS, with the certificate and the rules of {@link ClientTlsSettings}
 */
public record HttpSettings(
        List<String> addr,
        int port,
        @Nullable String user,
        @Nullable Secret password,
        @Nullable Secret token,
        boolean tls) {
    /** Shorter ones could be guessed. */
    static final int MIN_TOKEN = 16;

    static final SettingGroup GROUP = new SettingGroup("HTTP");
    static final Setting<List<String>> ADDR = GROUP.fixed(
            "http_addr",
            SettingTypes.list(SettingTypes.text()),
            List.of("127.0.0.1"),
            "Addresses or names where page, metrics and health are answered over HTTP; \"*\" = all, [] = nowhere.");
    static final Setting<Integer> PORT = GROUP.fixed(
            "http_port",
            SettingTypes.integer(0, 65535),
            9127,
            "TCP port for that; 0 = a free one, chosen by the system.");
    static final Setting<String> USER = GROUP.fixed(
            "http_user", SettingTypes.text(), null, "Who may ask, by basic authentication; empty = nobody so.");
    static final Setting<Secret> PASSWORD =
            GROUP.fixed("http_password", SettingTypes.secret(), null, "Password of that user.");
    static final Setting<Secret> TOKEN = GROUP.fixed(
            "http_token",
            SettingTypes.secret(),
            null,
            "Who sends Authorization: Bearer with it may ask, too; at least 16 characters.");
    static final Setting<Boolean> TLS = GROUP.fixed(
            "http_tls",
            SettingTypes.flag(),
            false,
            "HTTPS, with certificate and rules of client_tls_*; plain HTTP is then refused.");

    private static final Pattern LOOPBACK = Pattern.compile("(?i)localhost|127(\\.\\d{1,3}){3}|::1|0:0:0:0:0:0:0:1");

    static HttpSettings from(SettingValues values) {
        return new HttpSettings(
                values.get(ADDR),
                values.get(PORT),
                values.find(USER),
                values.find(PASSWORD),
                values.find(TOKEN),
                values.get(TLS));
    }

    /** Whether only those who prove who they are get an answer. */
    public boolean authenticates() {
        return token != null || user != null && password != null;
    }

    /** The first address that others than this machine reach; null if there is none. */
    @Nullable
    String publicAddress() {
        return addr.stream()
                .filter(each -> !LOOPBACK.matcher(each).matches())
                .findFirst()
                .orElse(null);
    }
}
