package dev.pgproxy.config;

import org.jspecify.annotations.Nullable;

/**
 * Where alerts are sent by HTTP. Immutable.
 *
 * @param name for people: the address is a secret
 * @param url of {@code http} or {@code https}; those of chats let everybody in who knows them
 * @param format what is sent
 * @param routingKey of PagerDuty; null for the others
 * @param token sent as {@code Authorization: Bearer}; null = none
 */
public record WebhookSettings(
        String name,
        Secret url,
        WebhookFormat format,
        @Nullable Secret routingKey,
        @Nullable Secret token) {
    static final SettingGroup GROUP = new SettingGroup("alert_webhooks.NAME");
    static final Setting<Secret> URL = GROUP.live(
            "url",
            SettingTypes.secretUrl(),
            null,
            "Where to send it by POST; must be given, but for PagerDuty; never shown.");
    static final Setting<WebhookFormat> FORMAT = GROUP.live(
            "format",
            SettingTypes.choice(WebhookFormat.class),
            WebhookFormat.JSON,
            "slack = a line of text for a chat; pagerduty = Events API v2; json = an object with all there is.");
    static final Setting<Secret> ROUTING_KEY = GROUP.live(
            "routing_key", SettingTypes.secret(), null, "Integration key of a PagerDuty service; never shown.");
    static final Setting<Secret> TOKEN = GROUP.live(
            "token", SettingTypes.secret(), null, "Sent as Authorization: Bearer with slack and json; never shown.");

    /** The one for everybody whose service is in the United States; others give their own. */
    private static final Secret PAGERDUTY = new Secret("https://events.pagerduty.com/v2/enqueue");

    /** What is wrong with the settings of a webhook together; null if nothing. */
    static @Nullable String problem(SettingValues values) {
        boolean pagerDuty = values.get(FORMAT) == WebhookFormat.PAGERDUTY;
        if (!pagerDuty && values.find(URL) == null) {
            return "needs url";
        }
        if (pagerDuty != (values.find(ROUTING_KEY) != null)) {
            return pagerDuty ? "pagerduty needs routing_key" : "routing_key is for format = pagerduty";
        }
        return pagerDuty && values.find(TOKEN) != null ? "pagerduty takes no token" : null;
    }

    /** Of values that have no problem. */
    static WebhookSettings from(String name, SettingValues values) {
        Secret url = values.find(URL);
        return new WebhookSettings(
                name, url == null ? PAGERDUTY : url, values.get(FORMAT), values.find(ROUTING_KEY), values.find(TOKEN));
    }

    @Override
    public String toString() {
        return name + " { " + format + " }";
    }
}
