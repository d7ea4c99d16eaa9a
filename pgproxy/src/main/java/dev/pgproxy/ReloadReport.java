package dev.pgproxy;

import dev.pgproxy.config.ConfigChanges;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/** A RELOAD in one line of the log; secrets are masked. Stateless. */
final class ReloadReport {
    private ReloadReport() {}

    static String of(ConfigChanges changes) {
        List<String> parts = new ArrayList<>();
        for (ConfigChanges.Change change : changes.applied()) {
            parts.add(change.key() + " is now " + change.after());
        }
        for (ConfigChanges.Change change : changes.needRestart()) {
            parts.add(change.key() + " stays " + change.before() + " until a restart");
        }
        named(parts, "databases", changes.databases());
        named(parts, "users", changes.users());
        return parts.isEmpty() ? "no setting differs" : String.join("; ", parts);
    }

    private static void named(List<String> parts, String what, Collection<String> names) {
        if (!names.isEmpty()) {
            parts.add(what + " changed: " + String.join(", ", names));
        }
    }
}
