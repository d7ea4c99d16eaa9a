package dev.pgproxy.alert;

import dev.pgproxy.config.Secret;
import dev.pgproxy.config.WebhookSettings;
import dev.pgproxy.json.Json;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * Tells by HTTP. What goes wrong is told in words of our own: an exception's may have the address in them, which is a secret.
 * Sources: api.slack.com/messaging/webhooks; PagerDuty's "Events API v2 Overview".
 */
final class WebhookSink implements Sink {
    private static final Duration CONNECTING = Duration.ofSeconds(5);
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    /** PagerDuty takes no more. */
    private static final int LONGEST_SUMMARY = 1024;

    private final WebhookSettings settings;
    private final Source source;
    private final HttpClient client = HttpClient.newBuilder()
            .connectTimeout(CONNECTING)
            .followRedirects(HttpClient.Redirect.NEVER) // a secret is for nobody else
            .build();

    WebhookSink(WebhookSettings settings, Source source) {
        this.settings = settings;
        this.source = source;
    }

    @Override
    public String name() {
        return settings.name();
    }

    @Override
    public String kind() {
        return settings.format().toString();
    }

    @Override
    public void send(Alert alert) throws DeliveryFailure {
        HttpRequest.Builder request = HttpRequest.newBuilder(
                        URI.create(settings.url().reveal()))
                .timeout(PATIENCE)
                .header("Content-Type", "application/json; charset=utf-8")
                .POST(HttpRequest.BodyPublishers.ofString(body(alert)));
        Secret token = settings.token();
        int status;
        try {
            if (token != null) {
                request.header("Authorization", "Bearer " + token.reveal());
            }
            status = client.send(request.build(), HttpResponse.BodyHandlers.discarding())
                    .statusCode();
        } catch (IllegalArgumentException e) {
            throw new DeliveryFailure("the token has signs in it that no header may have", true);
        } catch (IOException e) {
            throw new DeliveryFailure(reason(e), false);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new DeliveryFailure("interrupted", false);
        }
        if (status < 200 || status > 299) {
            boolean later = status >= 500 || status == 408 || status == 425 || status == 429;
            throw new DeliveryFailure("HTTP status " + status, !later);
        }
    }

    private static String reason(IOException e) {
        if (e instanceof HttpTimeoutException) {
            return "no answer in time";
        } else if (e instanceof ConnectException) {
            return "could not connect";
        } else if (e instanceof SSLException) {
            return "no TLS connection: the certificate is not trusted, or there is no TLS";
        }
        return "the connection failed (" + e.getClass().getSimpleName() + ")";
    }

    private String body(Alert alert) {
        return switch (settings.format()) {
            case SLACK -> Json.object().put("text", slackText(alert)).toString();
            case PAGERDUTY -> pagerDuty(alert).toString();
            case JSON -> json(alert).toString();
        };
    }

    private String slackText(Alert alert) {
        String first = alert.isRaised() ? alert.kind().severity() + ": " : "";
        String text = first + alert.summary() + " (" + source.name() + ")";
        text = alert.isRaised() ? text + "\n" + alert.kind().advice() : text;
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }

    private Json pagerDuty(Alert alert) {
        Json event = Json.object()
                .put(
                        "routing_key",
                        Objects.requireNonNull(settings.routingKey()).reveal())
                .put("event_action", alert.isRaised() ? "trigger" : "resolve")
                .put("dedup_key", source.key(alert));
        if (!alert.isRaised()) {
            return event;
        }
        String summary = alert.summary();
        return event.put("client", "pgproxy")
                .put(
                        "payload",
                        Json.object()
                                .put("summary", summary.substring(0, Math.min(summary.length(), LONGEST_SUMMARY)))
                                .put("source", source.name())
                                .put("severity", alert.kind().severity().toString())
                                .put("timestamp", alert.raised().toString())
                                .put("component", alert.subject())
                                .put("class", alert.kind().toString())
                                .put(
                                        "custom_details",
                                        Json.object().put("advice", alert.kind().advice())));
    }

    private Json json(Alert alert) {
        return Json.object()
                .put("event", alert.isRaised() ? "raised" : "cleared")
                .put("id", source.key(alert))
                .put("alert", alert.kind().toString())
                .put("subject", alert.subject())
                .put("severity", alert.kind().severity().toString())
                .put("text", alert.text())
                .put("advice", alert.kind().advice())
                .put("source", source.name())
                .put("raised_at", alert.raised().toString())
                .put("cleared_at", text(alert.cleared()));
    }

    private static @Nullable String text(@Nullable Instant moment) {
        return moment == null ? null : moment.toString();
    }

    @Override
    public void close() {
        client.shutdownNow();
    }
}
