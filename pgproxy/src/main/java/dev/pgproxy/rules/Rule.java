package dev.pgproxy.rules;

import dev.pgproxy.config.StatementRule;
import dev.pgproxy.config.StatisticsSettings;
import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.backend.SqlState;
import dev.pgproxy.routing.sql.PlainStatement;
import dev.pgproxy.routing.sql.Shape;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One rule, with what it counts. Thread-safe. */
public final class Rule {
    private static final Logger LOG = LoggerFactory.getLogger(Rule.class);

    private final StatementRule says;
    private final @Nullable Pattern pattern;
    private final @Nullable Pattern replaced;
    private final LongAdder matched = new LongAdder();
    private final LongAdder refused = new LongAdder();
    private final AtomicInteger running = new AtomicInteger();
    private final AtomicBoolean warned = new AtomicBoolean();

    Rule(StatementRule says) {
        this.says = says;
        this.pattern = says.pattern() == null ? null : Pattern.compile(says.pattern(), Pattern.CASE_INSENSITIVE);
        this.replaced = says.replace() == null ? null : Pattern.compile(says.replace());
    }

    /** As it is configured. */
    public StatementRule says() {
        return says;
    }

    /** It has decided about a statement. */
    public void count() {
        matched.increment();
    }

    /** How often it has. */
    public long matched() {
        return matched.sum();
    }

    /** It has kept a statement from running, or from going on. */
    public void countRefused() {
        refused.increment();
    }

    /** How often it has. */
    public long refused() {
        return refused.sum();
    }

    /** One more statement is to run; false if that is one too many. Each that may has to call {@link #leave}. */
    public boolean enter() {
        Integer most = says.maxConcurrent();
        if (running.incrementAndGet() <= (most == null ? Integer.MAX_VALUE : most)) {
            return true;
        }
        running.decrementAndGet();
        return false;
    }

    /** A statement that {@link #enter} has let run does so no more. */
    public void leave() {
        running.decrementAndGet();
    }

    /** How many run. */
    public int running() {
        return running.get();
    }

    /** Whether what it fits must be at a server by itself, since it may be cut off or waits for others. */
    public boolean restrains() {
        return says.rate() != null
                || says.timeout() != null
                || says.maxConcurrent() != null
                || says.maxRows() != null
                || says.maxBytes() != null;
    }

    /** Nanoseconds after which a call is slow; -1 = it does not say. */
    long slowFrom() {
        Duration threshold = says.slowQueryThreshold();
        return threshold == null ? -1 : StatisticsSettings.slowFrom(threshold);
    }

    /** Whether it sends another statement in place of one that it fits. */
    public boolean rewrites() {
        return says.rewrite() != null;
    }

    /** What is sent in place of a statement of a client; null if it is sent as it is. */
    public @Nullable String rewritten(String statement) {
        if (replaced == null) {
            return says.rewrite();
        }
        try {
            Matcher found = replaced.matcher(new BoundedText(statement));
            return found.find() ? found.replaceAll(String.valueOf(says.rewrite())) : null;
        } catch (BoundedText.Exhausted | StackOverflowError e) {
            warn(statement);
            return null;
        }
    }

    // ---- what clients hear

    /** To a statement that is refused. */
    public ErrorFields denied() {
        return ErrorFields.error(SqlState.INSUFFICIENT_PRIVILEGE, String.valueOf(says.deny()), hint());
    }

    /** To a statement that would be one too many. */
    public ErrorFields crowded() {
        return ErrorFields.error(
                SqlState.CONFIGURATION_LIMIT_EXCEEDED,
                "too many statements of this kind are running: " + says.maxConcurrent(),
                hint() + " Try again later.");
    }

    /** To a statement whose result has too many rows. */
    public ErrorFields tooManyRows() {
        return ErrorFields.error(
                SqlState.CONFIGURATION_LIMIT_EXCEEDED, "result has more than " + says.maxRows() + " rows", hint());
    }

    /** To a statement whose rows are too long. */
    public ErrorFields tooLarge() {
        return ErrorFields.error(
                SqlState.CONFIGURATION_LIMIT_EXCEEDED,
                "rows of the result have more than " + says.maxBytes() + " bytes",
                hint());
    }

    /** To a statement that has run too long. */
    public ErrorFields expired() {
        return ErrorFields.error(SqlState.QUERY_CANCELED, "canceling statement due to statement timeout", hint());
    }

    private String hint() {
        return "This is what rule \"" + says.name() + "\" of statement_rules in pgproxy's configuration says.";
    }

    // ---- what it fits

    /** Whether it is for such a session. */
    public boolean isFor(String user, String database, String application) {
        return isOrAny(says.user(), user)
                && isOrAny(says.database(), database)
                && isOrAny(says.application(), application);
    }

    private static boolean isOrAny(@Nullable String asked, String is) {
        return asked == null || asked.equals(is);
    }

    /**
     * Whether it fits a statement, whoever runs it.
     *
     * @param statement null if it cannot be read: what is refused by its text is then refused in any case
     * @param shape of the text that it stands in; null if that is not known, either
     */
    boolean fits(@Nullable PlainStatement statement, @Nullable Shape shape) {
        if (says.fingerprint() != null && (shape == null || !says.fingerprint().equals(shape.fingerprint()))) {
            return false;
        }
        if (statement == null) {
            return !says.looksAtText() || says.deny() != null;
        }
        if (says.withoutWhere() && !statement.changesAll()) {
            return false;
        }
        return pattern == null
                || isFound(pattern, statement.text())
                || statement.inner() != null && isFound(pattern, statement.inner());
    }

    private boolean isFound(Pattern wanted, String text) {
        try {
            return wanted.matcher(new BoundedText(text)).find();
        } catch (BoundedText.Exhausted | StackOverflowError e) {
            warn(text);
            return says.deny() != null;
        }
    }

    private void warn(String text) {
        if (warned.compareAndSet(false, true)) {
            LOG.warn(
                    "statement_rules.{}: a statement of {} characters is too long for its regular expression",
                    says.name(),
                    text.length());
        }
    }

    @Override
    public String toString() {
        return says.toString();
    }
}
