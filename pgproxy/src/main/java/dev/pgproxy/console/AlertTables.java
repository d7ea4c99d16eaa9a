package dev.pgproxy.console;

import dev.pgproxy.alert.Alert;
import dev.pgproxy.alert.Alerts;
import dev.pgproxy.alert.SinkStatus;
import dev.pgproxy.client.ConsoleAnswer;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** SHOW ALERTS, SHOW ALERT_SINKS. Thread-safe. */
record AlertTables(Alerts known) {
    /** What is raised now, then the last ones that are over. */
    ConsoleAnswer alerts() {
        Table table = Table.of("state alert subject severity raised_at cleared_at text advice");
        Alerts.View now = known.view();
        now.raised().forEach(alert -> row(table, alert));
        now.over().forEach(alert -> row(table, alert));
        return table.answer();
    }

    private static void row(Table table, Alert alert) {
        table.row(
                alert.isRaised() ? "raised" : "cleared",
                alert.kind().toString(),
                alert.subject(),
                alert.kind().severity().toString(),
                time(alert.raised()),
                time(alert.cleared()),
                alert.text(),
                alert.kind().advice());
    }

    /** Who is told, the log first, and how that goes. */
    ConsoleAnswer sinks() {
        Table table = Table.of("sink kind queued:int4 delivered:int8 tries:int8 failed:int8 dropped:int8 held_back:int8"
                + " last_delivery problem");
        for (SinkStatus sink : known.sinks()) {
            table.row(
                    sink.name(),
                    sink.kind(),
                    sink.queued(),
                    sink.delivered(),
                    sink.tries(),
                    sink.failed(),
                    sink.dropped(),
                    sink.heldBack(),
                    time(sink.lastDelivery()),
                    sink.problem().isEmpty() ? null : sink.problem());
        }
        return table.answer();
    }

    private static @Nullable String time(@Nullable Instant moment) {
        return moment == null ? null : SocketTables.TIME.format(moment);
    }
}
