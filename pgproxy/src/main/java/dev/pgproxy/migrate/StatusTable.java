package dev.pgproxy.migrate;

import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.flywaydb.core.api.MigrationInfo;
import org.flywaydb.core.api.MigrationState;
import org.jspecify.annotations.Nullable;

/** What {@code migrate status} prints. */
public final class StatusTable {
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss", Locale.ROOT).withZone(ZoneId.systemDefault());
    private static final List<String> TITLES =
            List.of("version", "description", "state", "installed on", "by", "ms", "script");

    private StatusTable() {}

    /** Its lines: one of titles, one for each migration. */
    public static List<String> of(List<MigrationInfo> migrations) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(TITLES);
        for (MigrationInfo each : migrations) {
            rows.add(List.of(
                    text(each.getVersion()),
                    text(each.getDescription()),
                    each.getState() == MigrationState.DELETED
                            ? "rolled back"
                            : each.getState().getDisplayName().toLowerCase(Locale.ROOT),
                    each.getInstalledOn() == null
                            ? ""
                            : TIME.format(each.getInstalledOn().toInstant()),
                    text(each.getInstalledBy()),
                    text(each.getExecutionTime()),
                    text(each.getScript())));
        }
        int[] widths = new int[TITLES.size()];
        for (List<String> row : rows) {
            for (int i = 0; i < widths.length; i++) {
                widths[i] = Math.max(widths[i], row.get(i).length());
            }
        }
        return rows.stream().map(row -> line(row, widths)).toList();
    }

    private static String line(List<String> row, int[] widths) {
        StringBuilder line = new StringBuilder();
        for (int i = 0; i < widths.length; i++) {
            line.append(i == 0 ? "" : "  ")
                    .append(row.get(i))
                    .append(" ".repeat(widths[i] - row.get(i).length()));
        }
        return line.toString().stripTrailing();
    }

    private static String text(@Nullable Object value) {
        return value == null ? "" : value.toString();
    }
}
