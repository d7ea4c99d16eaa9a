package dev.pgproxy.alert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.icegreen.greenmail.util.GreenMail;
import com.icegreen.greenmail.util.ServerSetup;
import com.typesafe.config.Config;
import dev.pgproxy.config.AlertSettings;
import dev.pgproxy.config.ConfigLoader;
import dev.pgproxy.config.ConfigProblems;
import dev.pgproxy.json.Json;
import dev.pgproxy.testing.LogLines;
import dev.pgproxy.testing.Webhook;
import jakarta.mail.internet.MimeMessage;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** From a condition to those who are told; by a clock of its own. */
@Timeout(60)
class AlertsTest {
    private static final Instant BEGIN = Instant.parse("2026-11-22T10:00:00Z");
    private static final Retry QUICK = new Retry(4, Duration.ofMillis(5));

    /** As bad as the test wants it. */
    private static final class Told implements Condition {
        private final List<Reading> readings = new ArrayList<>();

        @Override
        public AlertKind kind() {
            return AlertKind.HOST_DOWN;
        }

        @Override
        public List<Reading> look(AlertSettings settings, long now) {
            return List.copyOf(readings);
        }

        void bad(String... subjects) {
            readings.clear();
            for (String subject : subjects) {
                readings.add(Reading.of(subject, true, "it does not \"answer\" <now>\nat all"));
            }
        }
    }

    private final Told condition = new Told();
    private long seconds;

    private static AlertSettings settings(String text) throws ConfigProblems {
        return ConfigLoader.parse("databases { \"*\" { primary = db } }\nalert_source = \"proxy-1\"\n"
                        + "alert_raise_after = 2s, alert_clear_after = 3s\n" + text)
                .alerts();
    }

    private Alerts alerts(String text) throws ConfigProblems {
        return new Alerts(settings(text), List.of(condition), QUICK);
    }

    private void pass(Alerts alerts, int looks) {
        for (int i = 0; i < looks; i++) {
            alerts.look(TimeUnit.SECONDS.toNanos(seconds), BEGIN.plusSeconds(seconds));
            seconds++;
        }
    }

    private static SinkStatus sink(Alerts alerts) {
        return alerts.sinks().get(1);
    }

    @Test
    void whatIsRaisedAndClearedIsKeptInOrder() throws ConfigProblems {
        try (Alerts alerts = alerts("");
                LogLines log = LogLines.begin()) {
            condition.bad("a:1");
            pass(alerts, 2);
            assertThat(alerts.view().raised()).isEmpty();
            pass(alerts, 1);
            assertThat(alerts.view().raised())
                    .containsExactly(Alert.of(
                            AlertKind.HOST_DOWN, "a:1", "it does not \"answer\" <now> at all", BEGIN.plusSeconds(2)));
            condition.bad();
            pass(alerts, 4);
            assertThat(alerts.view().raised()).isEmpty();
            assertThat(alerts.view().over())
                    .singleElement()
                    .satisfies(alert -> assertThat(alert.cleared()).isEqualTo(BEGIN.plusSeconds(6)));
            assertThat(log.lines())
                    .anyMatch(line -> line.startsWith("ERROR alert host_down a:1: it does not")
                            && line.endsWith(AlertKind.HOST_DOWN.advice()))
                    .anyMatch(line -> line.startsWith("INFO alert cleared: host_down a:1"));

            for (int i = 0; i < Alerts.REMEMBERED + 5; i++) {
                condition.bad("b:" + i);
                pass(alerts, 3);
                condition.bad();
                pass(alerts, 4);
            }
            assertThat(alerts.view().over()).hasSize(Alerts.REMEMBERED);
            assertThat(alerts.view().over().getFirst().subject()).isEqualTo("b:" + (Alerts.REMEMBERED + 4));
        }
    }

    @Test
    void aConditionThatFailsIsToldOfOnceAndTheOthersGoOn() throws ConfigProblems {
        Condition broken = new Condition() {
            @Override
            public AlertKind kind() {
                return AlertKind.DISK_FULL;
            }

            @Override
            public List<Reading> look(AlertSettings settings, long now) {
                throw new IllegalStateException("planted");
            }
        };
        try (Alerts alerts = new Alerts(settings(""), List.of(broken, condition), QUICK);
                LogLines log = LogLines.begin()) {
            condition.bad("a:1");
            pass(alerts, 5);
            assertThat(alerts.view().raised()).hasSize(1);
            assertThat(log.lines()).filteredOn(line -> line.contains("planted")).hasSize(1);
        }
    }

    /** Raised and cleared, as a webhook of this configuration is told of it. */
    private List<Webhook.Request> told(Webhook webhook, String text) throws ConfigProblems {
        try (Alerts alerts = alerts(text)) {
            condition.bad("a:1");
            pass(alerts, 3);
            condition.bad();
            pass(alerts, 4);
            await().until(() -> webhook.accepted().size() == 2);
            assertThat(sink(alerts).delivered()).isBetween(1L, 2L);
            return webhook.accepted();
        }
    }

    @Test
    void aChatGetsALineThatSaysWhatToDo() throws ConfigProblems {
        try (Webhook webhook = new Webhook()) {
            List<Webhook.Request> told =
                    told(webhook, "alert_webhooks { chat { format = slack, url = \"" + webhook.url("/T0") + "\" } }");
            assertThat(told).allSatisfy(request -> {
                assertThat(request.path()).isEqualTo("/T0");
                assertThat(request.contentType()).isEqualTo("application/json; charset=utf-8");
                assertThat(request.authorization()).isNull();
                assertThat(request.json().root().keySet()).containsExactly("text");
            });
            assertThat(told.get(0).json().getString("text"))
                    .isEqualTo("critical: host_down a:1: it does not \"answer\" &lt;now&gt; at all (proxy-1)\n"
                            + AlertKind.HOST_DOWN.advice());
            assertThat(told.get(1).json().getString("text"))
                    .isEqualTo("cleared: host_down a:1: it does not \"answer\" &lt;now&gt; at all (proxy-1)");
        }
    }

    @Test
    void pagerDutyTriggersAndResolvesTheSameIncident() throws ConfigProblems {
        try (Webhook webhook = new Webhook()) {
            List<Webhook.Request> told = told(
                    webhook,
                    "alert_webhooks { oncall { format = pagerduty, routing_key = R0, url = \""
                            + webhook.url("/v2/enqueue") + "\" } }");
            Config trigger = told.get(0).json();
            assertThat(trigger.getString("routing_key")).isEqualTo("R0");
            assertThat(trigger.getString("event_action")).isEqualTo("trigger");
            assertThat(trigger.getString("dedup_key")).isEqualTo("proxy-1/host_down/a:1");
            assertThat(trigger.getString("client")).isEqualTo("pgproxy");
            Config payload = trigger.getConfig("payload");
            assertThat(payload.getString("summary")).isEqualTo("host_down a:1: it does not \"answer\" <now> at all");
            assertThat(payload.getString("source")).isEqualTo("proxy-1");
            assertThat(payload.getString("severity")).isEqualTo("critical");
            assertThat(payload.getString("timestamp")).isEqualTo("2026-11-22T10:00:02Z");
            assertThat(payload.getString("component")).isEqualTo("a:1");
            assertThat(payload.getString("class")).isEqualTo("host_down");
            assertThat(payload.getString("custom_details.advice")).isEqualTo(AlertKind.HOST_DOWN.advice());
            Config resolve = told.get(1).json();
            assertThat(resolve.root().unwrapped())
                    .containsOnlyKeys("routing_key", "event_action", "dedup_key")
                    .containsEntry("event_action", "resolve")
                    .containsEntry("dedup_key", "proxy-1/host_down/a:1");
        }
    }

    @Test
    void anObjectHasAllThereIs() throws ConfigProblems {
        try (Webhook webhook = new Webhook()) {
            List<Webhook.Request> told =
                    told(webhook, "alert_webhooks { any { token = t0, url = \"" + webhook.url("/a?b=c") + "\" } }");
            assertThat(told.get(0).authorization()).isEqualTo("Bearer t0");
            Config raised = told.get(0).json();
            assertThat(raised.getString("event")).isEqualTo("raised");
            assertThat(raised.getString("id")).isEqualTo("proxy-1/host_down/a:1");
            assertThat(raised.getString("alert")).isEqualTo("host_down");
            assertThat(raised.getString("subject")).isEqualTo("a:1");
            assertThat(raised.getString("severity")).isEqualTo("critical");
            assertThat(raised.getString("text")).isEqualTo("it does not \"answer\" <now> at all");
            assertThat(raised.getString("advice")).isEqualTo(AlertKind.HOST_DOWN.advice());
            assertThat(raised.getString("source")).isEqualTo("proxy-1");
            assertThat(raised.getString("raised_at")).isEqualTo("2026-11-22T10:00:02Z");
            assertThat(raised.getIsNull("cleared_at")).isTrue();
            Config cleared = told.get(1).json();
            assertThat(cleared.getString("event")).isEqualTo("cleared");
            assertThat(cleared.getString("cleared_at")).isEqualTo("2026-11-22T10:00:06Z");
        }
    }

    @Test
    void whatMayPassIsTriedAgainAndWhatLastsIsNotAndNoSecretIsLogged() throws ConfigProblems {
        try (Webhook webhook = new Webhook();
                LogLines log = LogLines.begin()) {
            webhook.fail(503, 429, 500, 403);
            String url = webhook.url("/hush");
            try (Alerts alerts = alerts("alert_webhooks { x { token = hush, url = \"" + url + "\" } }")) {
                condition.bad("a:1", "b:1");
                pass(alerts, 3);
                await().until(() ->
                        webhook.requests().size() == 5 && sink(alerts).queued() == 0);
                await().until(() -> sink(alerts).delivered() + sink(alerts).failed() == 2);
                assertThat(webhook.accepted()).hasSize(1);
                assertThat(sink(alerts).failed()).isEqualTo(1);
                assertThat(sink(alerts).tries()).isEqualTo(5);
                assertThat(sink(alerts).problem()).isEmpty();
            }
            webhook.close();
            try (Alerts alerts = alerts("alert_webhooks { x { token = hush, url = \"" + url + "\" } }")) {
                pass(alerts, 3);
                await().until(() -> sink(alerts).failed() == 2);
                assertThat(sink(alerts).tries()).isEqualTo(8);
                assertThat(sink(alerts).problem()).isEqualTo("could not connect");
                assertThat(alerts.sinks().toString()).doesNotContain("hush");
            }
            assertThat(log.lines())
                    .anyMatch(line -> line.contains("could not be told to x: HTTP status 403"))
                    .anyMatch(line -> line.contains("could not be told to x: could not connect"))
                    .noneMatch(line -> line.contains("hush"));
        }
    }

    @Test
    void tooManyAreHeldBackAndTheirNumberIsToldAndWhoWasNotToldIsNotToldThatItIsOver() throws ConfigProblems {
        try (Webhook webhook = new Webhook();
                Alerts alerts =
                        alerts("alert_per_minute = 3, alert_webhooks { x { url = \"" + webhook.url("/") + "\" } }")) {
            condition.bad("a", "b", "c", "d", "e");
            pass(alerts, 3);
            condition.bad();
            pass(alerts, 10);
            await().until(() -> webhook.accepted().size() == 6);
            assertThat(webhook.accepted())
                    .extracting(request -> request.json().getString("event"))
                    .containsExactly("raised", "raised", "raised", "cleared", "cleared", "cleared");
            assertThat(sink(alerts).heldBack()).isEqualTo(2);
            assertThat(alerts.view().over()).hasSize(5);

            pass(alerts, 48); // one second less than a minute since they were raised
            assertThat(sink(alerts).queued()).isZero();
            assertThat(webhook.accepted()).hasSize(6);
            pass(alerts, 2);
            await().until(() -> webhook.accepted().size() == 7);
            Config last = webhook.accepted().getLast().json();
            assertThat(last.getString("alert")).isEqualTo("held_back");
            assertThat(last.getString("text")).startsWith("2 alerts were not told of here");
        }
    }

    @Test
    void aSinkThatTakesNothingCostsABoundedQueueAndStopsNobody() throws ConfigProblems {
        try (Webhook webhook = new Webhook();
                LogLines log = LogLines.begin()) {
            Integer[] always = new Integer[2000];
            Arrays.fill(always, 500);
            webhook.fail(always);
            Alerts alerts = new Alerts(
                    settings("alert_per_minute = 1000, alert_webhooks { x { url = \"" + webhook.url("/") + "\" } }"),
                    List.of(condition),
                    new Retry(10, Duration.ofMinutes(1)));
            String[] subjects = new String[Outbox.CAPACITY + 50];
            for (int i = 0; i < subjects.length; i++) {
                subjects[i] = "h" + i;
            }
            condition.bad(subjects);
            pass(alerts, 3);
            assertThat(alerts.view().raised()).hasSize(subjects.length);
            assertThat(sink(alerts).queued()).isBetween(Outbox.CAPACITY - 1, Outbox.CAPACITY);
            assertThat(sink(alerts).dropped()).isBetween(49L, 50L);
            assertThat(log.lines())
                    .filteredOn(line -> line.contains("are dropped"))
                    .hasSize(1);
            long start = System.nanoTime();
            alerts.close();
            assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(5));
            await().until(() -> Thread.getAllStackTraces().keySet().stream()
                    .noneMatch(thread -> thread.getName().equals("alerts to x")));
        }
    }

    @Test
    void aReloadChangesThresholdsAndSinksAndKeepsWhatIsTheSame() throws ConfigProblems {
        try (Webhook webhook = new Webhook();
                Alerts alerts = alerts("alert_webhooks { x { url = \"" + webhook.url("/") + "\" } }")) {
            condition.bad("a");
            pass(alerts, 3);
            await().until(() -> sink(alerts).delivered() == 1);
            alerts.reload(settings("alert_raise_after = 5s\nalert_webhooks { x { url = \"" + webhook.url("/")
                    + "\" }, y { url = \"" + webhook.url("/y") + "\" } }"));
            condition.bad("a", "b");
            pass(alerts, 5);
            assertThat(alerts.view().raised()).hasSize(1);
            assertThat(sink(alerts).delivered()).as("x is the same").isEqualTo(1);
            pass(alerts, 1);
            assertThat(alerts.view().raised()).hasSize(2);
            await().until(() -> webhook.accepted().stream()
                    .anyMatch(request -> request.path().equals("/y")));
            alerts.reload(settings(""));
            pass(alerts, 1);
            assertThat(alerts.sinks()).extracting(SinkStatus::name).containsExactly("log");
        }
    }

    @Test
    void mailsAreSentByARealConversation() throws Exception {
        GreenMail server = new GreenMail(new ServerSetup(0, "127.0.0.1", ServerSetup.PROTOCOL_SMTP));
        server.start();
        try (Alerts alerts = alerts("alert_smtp { host = 127.0.0.1, port = "
                + server.getSmtp().getPort() + ", from = \"pgproxy@example.com\","
                + " to = [\"a@example.com\", \"b@example.com\"], tls = none }")) {
            condition.bad("a:1");
            pass(alerts, 3);
            condition.bad();
            pass(alerts, 4);
            await().until(() -> server.getReceivedMessages().length == 4); // one for each receiver
            MimeMessage raised = server.getReceivedMessages()[0];
            assertThat(raised.getSubject()).isEqualTo("[pgproxy proxy-1] host_down a:1");
            assertThat(raised.getFrom()[0]).hasToString("pgproxy@example.com");
            assertThat(raised.getAllRecipients())
                    .extracting(Object::toString)
                    .containsExactly("a@example.com", "b@example.com");
            assertThat(raised.getContent().toString())
                    .contains("host_down a:1: it does not \"answer\" <now> at all", AlertKind.HOST_DOWN.advice())
                    .contains("severity: critical", "raised at: 2026-11-22T10:00:02Z");
            assertThat(server.getReceivedMessages())
                    .anySatisfy(mail ->
                            assertThat(mail.getSubject()).isEqualTo("[pgproxy proxy-1] cleared: host_down a:1"));
        } finally {
            server.stop();
        }
    }

    @Test
    void aMailServerIsNotToldThePasswordInClearTextAndTheProblemIsToldWithoutIt() throws Exception {
        GreenMail server = new GreenMail(new ServerSetup(0, "127.0.0.1", ServerSetup.PROTOCOL_SMTP));
        server.start();
        try (LogLines log = LogLines.begin()) {
            List<SinkTrial> trials = SinkTrial.all(settings("alert_smtp { host = 127.0.0.1, port = "
                    + server.getSmtp().getPort() + ", from = \"a@example.com\", to = \"b@example.com\","
                    + " user = u, password = hush }"));
            assertThat(trials).singleElement().satisfies(trial -> {
                assertThat(trial.isAccepted()).isFalse();
                assertThat(trial.problem()).containsIgnoringCase("starttls");
            });
            assertThat(server.getReceivedMessages()).isEmpty();
            assertThat(log.lines()).noneMatch(line -> line.contains("hush"));
        } finally {
            server.stop();
        }
    }

    @Test
    void whateverANameIsItStaysOneLineAndValidJson() {
        String name = "a\"\\\n\r\u0001\u20ac\ud83d\ude00</script>";
        Alert alert = Alert.of(AlertKind.TEST, name, name, BEGIN);
        assertThat(alert.subject()).isEqualTo("a\"\\   \u20ac\ud83d\ude00</script>");
        String json = Json.object()
                .put("x", name)
                .put("in", Json.object().put("none", (String) null))
                .toString();
        Config read = new Webhook.Request("", json, null, null, 202).json();
        assertThat(read.getString("x")).isEqualTo(name);
        assertThat(read.getIsNull("in.none")).isTrue();
    }
}
