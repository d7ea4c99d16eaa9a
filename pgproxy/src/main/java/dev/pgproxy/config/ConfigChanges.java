package dev.pgproxy.config;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * What RELOAD does: the difference between what runs and what is in the file now. Immutable.
 *
 * @param result what runs afterwards: the new configuration, with the old values of what needs a restart
 * @param applied general settings that change
 * @param needRestart general settings that differ but stay as they are until the program starts again
 * @param databases names (also {@code *}) that came, went or changed
 * @param users names that came, went or changed
 */
public record ConfigChanges(
        ProxyConfig result,
        List<Change> applied,
        List<Change> needRestart,
        SortedSet<String> databases,
        SortedSet<String> users) {

    /**
     * One setting that differs. Immutable.
     *
     * @param key the setting
     * @param before as {@code SHOW CONFIG} showed it; secrets masked
     * @param after as it will show it
     */
    public record Change(String key, String before, String after) {}

    /** Compares what runs with what was loaded. */
    public static ConfigChanges between(ProxyConfig running, ProxyConfig loaded) {
        List<Change> applied = new ArrayList<>();
        List<Change> needRestart = new ArrayList<>();
        SettingValues values = loaded.values();
        for (Setting<?> setting : Settings.GENERAL) {
            if (!Objects.equals(running.values().find(setting), values.find(setting))) {
                Change change = new Change(
                        setting.key(),
                        running.values().show(setting),
                        loaded.values().show(setting));
                (setting.reloadable() ? applied : needRestart).add(change);
                if (!setting.reloadable()) {
                    values = values.as(running.values(), setting);
                }
            }
        }
        if (!running.peers().peers().equals(loaded.peers().peers())) {
            applied.add(new Change(
                    "peers",
                    running.peers().peers().toString(),
                    loaded.peers().peers().toString()));
        }
        if (!running.cacheRules().equals(loaded.cacheRules())) {
            applied.add(new Change(
                    "cache_rules",
                    running.cacheRules().toString(),
                    loaded.cacheRules().toString()));
        }
        if (!running.statementRules().equals(loaded.statementRules())) {
            applied.add(new Change(
                    "statement_rules",
                    running.statementRules().toString(),
                    loaded.statementRules().toString()));
        }
        if (!running.warmQueries().equals(loaded.warmQueries())) {
            applied.add(new Change(
                    "cache_warm",
                    running.warmQueries().toString(),
                    loaded.warmQueries().toString()));
        }
        if (!running.alerts().targets().equals(loaded.alerts().targets())) {
            applied.add(new Change(
                    "alert sinks",
                    running.alerts().targets().toString(),
                    loaded.alerts().targets().toString()));
        }
        return new ConfigChanges(
                loaded.with(values),
                List.copyOf(applied),
                List.copyOf(needRestart),
                different(running.databasesAndWildcard(), loaded.databasesAndWildcard()),
                different(running.users(), loaded.users()));
    }

    private static SortedSet<String> different(Map<String, ?> before, Map<String, ?> after) {
        SortedSet<String> names = new TreeSet<>(before.keySet());
        names.addAll(after.keySet());
        names.removeIf(name -> Objects.equals(before.get(name), after.get(name)));
        return names;
    }
}
