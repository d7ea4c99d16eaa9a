package dev.pgproxy.config;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The mail server that takes alerts, and for whom they are. Immutable.
 *
 * @param from the sender's address
 * @param to those of the receivers; at least one
 * @param user to log in as; null = nobody logs in
 */
public record SmtpSettings(
        String host,
        int port,
        String from,
        List<String> to,
        @Nullable String user,
        @Nullable Secret password,
        SmtpTls tls) {
    static final SettingGroup GROUP = new SettingGroup("alert_smtp");
    static final Setting<String> HOST =
            GROUP.live("host", SettingTypes.text(), null, "The mail server; must be given.");
    static final Setting<Integer> PORT =
            GROUP.live("port", SettingTypes.integer(1, 65535), 587, "Its port; with tls = tls it is mostly 465.");
    static final Setting<String> FROM =
            GROUP.live("from", SettingTypes.mailAddress(), null, "Whom alerts come from; must be given.");
    static final Setting<List<String>> TO = GROUP.live(
            "to", SettingTypes.list(SettingTypes.mailAddress()), List.of(), "Who gets alerts; must be given.");
    static final Setting<String> USER =
            GROUP.live("user", SettingTypes.text(), null, "Who logs in to the mail server; empty = nobody does.");
    static final Setting<Secret> PASSWORD =
            GROUP.live("password", SettingTypes.secret(), null, "Password of that user; never shown.");
    static final Setting<SmtpTls> TLS = GROUP.live(
            "tls",
            SettingTypes.choice(SmtpTls.class),
            SmtpTls.STARTTLS,
            "starttls = encrypted after the greeting, or nothing is sent; tls = from the first byte; none = never.");

    public SmtpSettings {
        to = List.copyOf(to);
    }

    /** What is wrong with the settings together; null if nothing. */
    static @Nullable String problem(SettingValues values) {
        if (values.find(HOST) == null
                || values.find(FROM) == null
                || values.get(TO).isEmpty()) {
            return "needs host, from and to";
        }
        boolean logsIn = values.find(USER) != null;
        if (logsIn != (values.find(PASSWORD) != null)) {
            return logsIn ? "user needs password" : "password needs user";
        }
        return logsIn && values.get(TLS) == SmtpTls.NONE ? "tls = none would send the password in clear text" : null;
    }

    /** Of values that have no problem. */
    static SmtpSettings from(SettingValues values) {
        return new SmtpSettings(
                values.get(HOST),
                values.get(PORT),
                values.get(FROM),
                values.get(TO),
                values.find(USER),
                values.find(PASSWORD),
                values.get(TLS));
    }

    @Override
    public String toString() {
        return "{ " + host + ":" + port + " to " + String.join(", ", to) + " }";
    }
}
