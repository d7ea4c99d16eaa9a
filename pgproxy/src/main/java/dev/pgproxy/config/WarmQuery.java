package dev.pgproxy.config;

import java.time.Duration;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A query whose result is to be in the cache before anybody asks. Immutable.
 *
 * @param name for people
 * @param database by the name that clients ask for
 * @param user as clients log in
 * @param query as clients send it
 * @param every how often it is asked; null = once
 * @param settings run-time parameters in the start-up message, as the application's driver sends them
 */
public record WarmQuery(
        String name,
        String database,
        String user,
        String query,
        @Nullable Duration every,
        Map<String, String> settings) {
    static final SettingGroup GROUP = new SettingGroup("cache_warm.NAME");
    static final Setting<String> DATABASE =
            GROUP.live("database", SettingTypes.text(), null, "By the name that clients ask for; must be given.");
    static final Setting<String> USER =
            GROUP.live("user", SettingTypes.text(), null, "Whose results they are, as clients log in; must be given.");
    static final Setting<String> QUERY = GROUP.live(
            "query", SettingTypes.text(), null, "As clients send it, character by character; must be given.");
    static final Setting<Duration> EVERY = GROUP.live(
            "every", SettingTypes.duration(), null, "How often it is asked; empty = at the start and at RELOAD only.");

    /** The one entry that is a block itself: names and values are PostgreSQL's. */
    static final String SETTINGS = "settings";

    /** What a start-up message says of the session besides run-time parameters. */
    private static final Set<String> NO_SETTINGS = Set.of("user", "database", "replication");

    public WarmQuery {
        settings = Map.copyOf(settings);
    }

    /** What is wrong with the settings of a query together; null if nothing. */
    static @Nullable String problem(SettingValues values, Map<String, String> settings) {
        if (!values.has(DATABASE) || !values.has(USER) || !values.has(QUERY)) {
            return "needs database, user and query";
        }
        if (DatabaseSettings.CONSOLE_NAMES.contains(values.get(DATABASE))) {
            return "the database's name belongs to the console";
        }
        return settings.keySet().stream().anyMatch(NO_SETTINGS::contains)
                ? "user, database and replication are no run-time parameters"
                : null;
    }

    static WarmQuery from(String name, SettingValues values, Map<String, String> settings) {
        return new WarmQuery(
                name, values.get(DATABASE), values.get(USER), values.get(QUERY), values.find(EVERY), settings);
    }

    /** The query itself may have values in it that are nothing for a log. */
    @Override
    public String toString() {
        return name + " { " + database + "/" + user + (every == null ? "" : " every " + Quantities.show(every)) + " }";
    }
}
