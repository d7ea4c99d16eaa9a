package dev.pgproxy.config;

import java.util.Locale;

/** In what form a webhook is told of an alert. Immutable. */
public enum WebhookFormat {
    /** One line of text, as Slack's incoming webhooks take it, and Mattermost's, and others'. */
    SLACK,
    /** PagerDuty's Events API v2: an incident is triggered, and resolved. */
    PAGERDUTY,
    /** An object with everything that is known. */
    JSON;

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
