package dev.pgproxy.config;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Who is told of alerts besides the log. Immutable.
 *
 * @param webhooks in the order of their names
 * @param smtp null = no mail
 */
public record AlertTargets(
        List<WebhookSettings> webhooks, @Nullable SmtpSettings smtp) {
    /** The log alone. */
    public static final AlertTargets NONE = new AlertTargets(List.of(), null);

    public AlertTargets {
        webhooks = List.copyOf(webhooks);
    }
}
