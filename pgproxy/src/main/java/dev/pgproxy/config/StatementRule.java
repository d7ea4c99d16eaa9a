package dev.pgproxy.config;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What is done with some statements. All conditions that are given must fit. Immutable.
 *
 * @param name says where it stands among the rules: they are tried in the order of their names
 * @param pattern a regular expression that is found in the statement
 * @param fingerprint of the text, 32 hexadecimal digits
 * @param user as the client gives it
 * @param database by the name that the client asked for
 * @param application the session's application_name
 * @param withoutWhere whether only UPDATE and DELETE without WHERE fit
 * @param deny what is said to who is refused; null = nobody is
 * @param rate how many of them may run within any such time; null = as many as like
 * @param timeout how long such a statement may run; null = as long as it likes
 * @param maxConcurrent how many of them may run at once; null = as many as like
 * @param maxRows how many rows of a result a client is sent at most; null = all
 * @param maxBytes how many bytes of a result's rows; null = all
 * @param slowQueryThreshold from when on a call is slow; zero = never; null = as in its database
 * @param rewrite what is sent in their place, or in place of what {@code replace} finds; null = they are sent
 * @param replace a regular expression; null = the whole statement is rewritten
 */
public record StatementRule(
        String name,
        @Nullable String pattern,
        @Nullable String fingerprint,
        @Nullable String user,
        @Nullable String database,
        @Nullable String application,
        boolean withoutWhere,
        @Nullable String deny,
        @Nullable RateLimit rate,
        @Nullable Duration timeout,
        @Nullable Integer maxConcurrent,
        @Nullable Integer maxRows,
        @Nullable Long maxBytes,
        @Nullable Duration slowQueryThreshold,
        @Nullable String rewrite,
        @Nullable String replace) {
    static final SettingGroup GROUP = new SettingGroup("statement_rules.NAME");
    static final Setting<String> PATTERN = GROUP.live(
            "pattern",
            SettingTypes.of(
                    "a regular expression", text -> Pattern.compile(text).pattern(), text -> text),
            null,
            "Fits if this regular expression is found in the statement, as operations.md says it is spelled.");
    static final Setting<String> FINGERPRINT = GROUP.live(
            "fingerprint",
            SettingTypes.of("32 hexadecimal digits", CacheRule::hexadecimal, text -> text),
            null,
            "Fits texts with this fingerprint, as SHOW CACHE FINGERPRINTS tells it.");
    static final Setting<Boolean> WITHOUT_WHERE =
            GROUP.live("without_where", SettingTypes.flag(), false, "true = fits UPDATE and DELETE without WHERE.");
    static final Setting<String> USER = GROUP.live(
            "user", SettingTypes.text(), null, "Fits statements of this user, by the name that he logs in with.");
    static final Setting<String> DATABASE = GROUP.live(
            "database", SettingTypes.text(), null, "Fits statements in this database, by the name clients ask for.");
    static final Setting<String> APPLICATION =
            GROUP.live("application", SettingTypes.text(), null, "Fits sessions with this application_name.");
    static final Setting<String> DENY =
            GROUP.live("deny", SettingTypes.text(), null, "The message with which such statements are refused.");
    static final Setting<RateLimit> RATE = GROUP.live(
            "rate",
            SettingTypes.of(
                    "statements per time such as 100/min, 50/s, 5000/10min", RateLimit::parseSome, RateLimit::toString),
            null,
            "So many statements that this rule fits run in any such time; one more is refused.");
    static final Setting<Duration> TIMEOUT = GROUP.live(
            "timeout", SettingTypes.duration(), null, "Such a statement is cancelled when it has run so long.");
    static final Setting<Integer> MAX_CONCURRENT = GROUP.live(
            "max_concurrent",
            SettingTypes.integer(1, 1_000_000),
            null,
            "So many statements that this rule fits run at once; one more is refused.");
    static final Setting<Integer> MAX_ROWS = GROUP.live(
            "max_rows",
            SettingTypes.integer(1, Integer.MAX_VALUE),
            null,
            "So many rows of a read's result are sent; one more makes it fail, as operations.md says.");
    static final Setting<Long> MAX_BYTES = GROUP.live(
            "max_bytes",
            SettingTypes.size(1, 1L << 40),
            null,
            "So many bytes of the rows of a read's result are sent; one more makes it fail.");
    static final Setting<Duration> SLOW_QUERY_THRESHOLD = GROUP.live(
            "slow_query_threshold",
            SettingTypes.timeout(),
            null,
            "From when on such a statement is slow, whatever its database says; 0 = never.");
    static final Setting<String> REWRITE = GROUP.live(
            "rewrite",
            SettingTypes.text(),
            null,
            "What is sent in place of the statement, or of what replace finds in it.");
    static final Setting<String> REPLACE = GROUP.live(
            "replace",
            SettingTypes.of(
                    "a regular expression", text -> Pattern.compile(text).pattern(), text -> text),
            null,
            "A regular expression: what it finds in the statement as it was sent is replaced by rewrite.");

    private static final List<Setting<?>> CONDITIONS =
            List.of(PATTERN, FINGERPRINT, WITHOUT_WHERE, USER, DATABASE, APPLICATION);
    private static final List<Setting<?>> ACTIONS =
            List.of(DENY, RATE, TIMEOUT, MAX_CONCURRENT, MAX_ROWS, MAX_BYTES, SLOW_QUERY_THRESHOLD, REWRITE);

    /**
     * What is wrong with the settings of a rule together; null if nothing.
     *
     * @param written keys in the file, also of what could not be read
     */
    static @Nullable String problem(SettingValues values, Set<String> written) {
        if (ACTIONS.stream().noneMatch(action -> written.contains(action.key()))) {
            return "does nothing; write one of "
                    + ACTIONS.stream().map(Setting::key).toList();
        }
        if (CONDITIONS.stream().noneMatch(condition -> isGiven(condition, values, written))) {
            return "fits every statement; write one of "
                    + CONDITIONS.stream().map(Setting::key).toList();
        }
        if (values.has(REPLACE) && !values.has(REWRITE)) {
            return "has replace, and nothing to put in its place; write rewrite";
        }
        if (values.has(REWRITE)) {
            return rewriteProblem(values);
        }
        return values.has(DENY) && ACTIONS.stream().anyMatch(action -> action != DENY && values.has(action))
                ? "what is refused needs nothing but deny"
                : null;
    }

    private static @Nullable String rewriteProblem(SettingValues values) {
        if (ACTIONS.stream().anyMatch(action -> action != REWRITE && values.has(action))) {
            return "what is rewritten is looked at again by the other rules; write a rule of its own for what else is done";
        }
        String replaces = values.find(REPLACE);
        if (replaces == null) {
            return values.has(PATTERN) || values.has(FINGERPRINT)
                    ? null
                    : "would send the same for any statement; write pattern, fingerprint or replace";
        }
        if (Pattern.compile(replaces).matcher("").find()) {
            return "replace finds the empty text";
        }
        try {
            Pattern.compile("(?:" + replaces + ")|").matcher("").replaceAll(String.valueOf(values.find(REWRITE)));
            return null;
        } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
            return "rewrite names a group that replace does not have; write \\$ for the character";
        }
    }

    private static boolean isGiven(Setting<?> condition, SettingValues values, Set<String> written) {
        return condition == WITHOUT_WHERE ? values.get(WITHOUT_WHERE) : written.contains(condition.key());
    }

    static StatementRule from(String name, SettingValues values) {
        return new StatementRule(
                name,
                values.find(PATTERN),
                values.find(FINGERPRINT),
                values.find(USER),
                values.find(DATABASE),
                values.find(APPLICATION),
                values.get(WITHOUT_WHERE),
                values.find(DENY),
                values.find(RATE),
                values.find(TIMEOUT),
                values.find(MAX_CONCURRENT),
                values.find(MAX_ROWS),
                values.find(MAX_BYTES),
                values.find(SLOW_QUERY_THRESHOLD),
                values.find(REWRITE),
                values.find(REPLACE));
    }

    /** Whether it depends on what a statement says, which only who can read it knows. */
    public boolean looksAtText() {
        return pattern != null || withoutWhere;
    }

    /** What must fit, as it is written in the file. */
    public String conditions() {
        List<String> given = new ArrayList<>();
        add(given, PATTERN, pattern);
        add(given, FINGERPRINT, fingerprint);
        add(given, WITHOUT_WHERE, withoutWhere ? true : null);
        add(given, USER, user);
        add(given, DATABASE, database);
        add(given, APPLICATION, application);
        return String.join(", ", given);
    }

    /** What is done, as it is written in the file. */
    public String actions() {
        List<String> given = new ArrayList<>();
        add(given, DENY, deny);
        add(given, RATE, rate);
        add(given, TIMEOUT, timeout == null ? null : Quantities.show(timeout));
        add(given, MAX_CONCURRENT, maxConcurrent);
        add(given, MAX_ROWS, maxRows);
        add(given, MAX_BYTES, maxBytes == null ? null : Quantities.showSize(maxBytes));
        add(given, SLOW_QUERY_THRESHOLD, slowQueryThreshold == null ? null : Quantities.show(slowQueryThreshold));
        add(given, REPLACE, replace);
        add(given, REWRITE, rewrite);
        return String.join(", ", given);
    }

    private static void add(List<String> given, Setting<?> setting, @Nullable Object value) {
        if (value != null) {
            given.add(setting.key() + " = " + value);
        }
    }

    @Override
    public String toString() {
        return String.format(Locale.ROOT, "%s { %s: %s }", name, conditions(), actions());
    }
}
