package dev.pgproxy.config;

import dev.pgproxy.routing.CacheWish;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What is to become of the results of some reads. All conditions that are given must fit. Immutable.
 *
 * @param name says where it stands among the rules: they are tried in the order of their names
 * @param table with its schema; fits if the statement reads it
 * @param fingerprint of the statement, 32 hexadecimal digits
 * @param user as the client gives it
 * @param database by the name that the client asked for
 * @param application the session's application_name
 * @param wish what is to become of them
 */
public record CacheRule(
        String name,
        @Nullable String table,
        @Nullable String fingerprint,
        @Nullable String user,
        @Nullable String database,
        @Nullable String application,
        CacheWish wish) {
    static final SettingGroup GROUP = new SettingGroup("cache_rules.NAME");
    static final Setting<String> TABLE = GROUP.live(
            "table",
            SettingTypes.of(
                    "a table such as public.orders",
                    text -> text.indexOf('.') < 0 ? "public." + text : text,
                    text -> text),
            null,
            "Fits if the statement reads this table, also behind a view; a view itself is none.");
    static final Setting<String> FINGERPRINT = GROUP.live(
            "fingerprint",
            SettingTypes.of("32 hexadecimal digits", CacheRule::hexadecimal, text -> text),
            null,
            "Fits statements with this fingerprint, as SHOW CACHE FINGERPRINTS tells it.");
    static final Setting<String> USER =
            GROUP.live("user", SettingTypes.text(), null, "Fits reads of this user, by the name that he logs in with.");
    static final Setting<String> DATABASE = GROUP.live(
            "database", SettingTypes.text(), null, "Fits reads in this database, by the name clients ask for.");
    static final Setting<String> APPLICATION =
            GROUP.live("application", SettingTypes.text(), null, "Fits sessions with this application_name.");
    static final Setting<Duration> TTL = GROUP.live(
            "ttl",
            SettingTypes.of(
                    "short, medium, long, very_long, or a duration above 0 such as 30s",
                    CacheRule::time,
                    Quantities::show),
            null,
            "How long a result is served at most; empty = as cache_ttl and cache_covered_ttl say.");
    static final Setting<List<String>> TAGS = GROUP.live(
            "tags",
            SettingTypes.list(SettingTypes.of("a name without spaces", CacheRule::tag, text -> text)),
            null,
            "Names by which CACHE INVALIDATE TAG forgets the results.");
    static final Setting<Boolean> NEVER =
            GROUP.live("never", SettingTypes.flag(), false, "true = such results are not kept.");

    static String hexadecimal(String text) {
        String lower = text.toLowerCase(Locale.ROOT);
        if (!lower.matches("[0-9a-f]{32}")) {
            throw new IllegalArgumentException();
        }
        return lower;
    }

    private static Duration time(String text) {
        Duration named = CacheWish.named(text);
        Duration time = named == null ? Quantities.duration(text) : named;
        if (time.isZero()) {
            throw new IllegalArgumentException();
        }
        return time;
    }

    private static String tag(String text) {
        if (text.matches(".*\\s.*")) {
            throw new IllegalArgumentException();
        }
        return text.toLowerCase(Locale.ROOT); // as hints and the console read them
    }

    /**
     * What is wrong with the settings of a rule together; null if nothing.
     *
     * @param written keys in the file, also of what could not be read
     */
    static @Nullable String problem(SettingValues values, Set<String> written) {
        List<String> tags = values.find(TAGS);
        boolean never = values.get(NEVER);
        if (!written.contains(TTL.key()) && !written.contains(TAGS.key()) && !written.contains(NEVER.key())) {
            return "asks for nothing; write ttl, tags or never";
        }
        if (never && (values.has(TTL) || values.has(TAGS))) {
            return "never contradicts ttl and tags";
        }
        return tags != null && tags.size() > CacheWish.MOST_TAGS ? "at most " + CacheWish.MOST_TAGS + " tags" : null;
    }

    static CacheRule from(String name, SettingValues values) {
        List<String> tags = values.find(TAGS);
        Duration ttl = values.find(TTL);
        boolean never = values.get(NEVER);
        return new CacheRule(
                name,
                values.find(TABLE),
                values.find(FINGERPRINT),
                values.find(USER),
                values.find(DATABASE),
                values.find(APPLICATION),
                new CacheWish(never || ttl != null || tags != null, never, ttl, tags == null ? List.of() : tags));
    }

    /** What must fit, as it is written in the file; empty if nothing. */
    public String conditions() {
        List<String> given = new ArrayList<>();
        add(given, TABLE, table);
        add(given, FINGERPRINT, fingerprint);
        add(given, USER, user);
        add(given, DATABASE, database);
        add(given, APPLICATION, application);
        return String.join(", ", given);
    }

    private static void add(List<String> given, Setting<?> setting, @Nullable String value) {
        if (value != null) {
            given.add(setting.key() + " = " + value);
        }
    }

    /** What is asked for, in the words of a hint; empty if nothing but what holds without a rule. */
    public String asks() {
        Duration ttl = wish.ttl();
        if (wish.never()) {
            return "nocache";
        }
        String time = ttl == null ? "" : " ttl=" + Quantities.show(ttl);
        String tags = wish.tags().isEmpty() ? "" : " tag=" + String.join(",", wish.tags());
        return wish.isSaid() ? "cache" + time + tags : "";
    }

    @Override
    public String toString() {
        return name + " { " + conditions() + ": " + asks() + " }";
    }
}
