package dev.pgproxy.rules;

import dev.pgproxy.config.StatementRule;
import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.routing.sql.PlainStatement;
import dev.pgproxy.routing.sql.Shape;
import io.netty.util.concurrent.FastThreadLocal;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The rules of the configuration in their order. Which of them fit a text is found out once for each shape and event loop.
 * Thread-safe.
 */
public final class StatementRules {
    /** For clients within the process. */
    public static final StatementRules NONE = new StatementRules(List.of());

    private static final int KNOWN = 4096;

    /**
     * The rules that fit a text, whoever runs it: for each of its statements those that fit it, in their order; nothing at all
     * if none fits any. Immutable.
     */
    public record Fitting(List<List<Rule>> ofStatements) {
        static final Fitting NONE = new Fitting(List.of());

        public Fitting {
            ofStatements = List.copyOf(ofStatements);
        }

        /** For how many of its statements a rule decides in a session. */
        public int times(Rule rule, String user, String database, String application) {
            return (int) ofStatements.stream()
                    .filter(fitting -> new Fitting(List.of(fitting))
                            .of(user, database, application)
                            .contains(rule))
                    .count();
        }

        /** Whether no rule fits any of it. */
        public boolean isEmpty() {
            return ofStatements.isEmpty();
        }

        /**
         * The first rule for each statement among those of a session, without repetition, and without those that rewrite,
         * which have had their turn; empty if there is none.
         */
        public List<Rule> of(String user, String database, String application) {
            List<Rule> first = new ArrayList<>(1);
            for (List<Rule> fitting : ofStatements) {
                for (Rule rule : fitting) {
                    if (!rule.rewrites() && rule.isFor(user, database, application)) {
                        if (!first.contains(rule)) {
                            first.add(rule);
                        }
                        break;
                    }
                }
            }
            return first;
        }

        /** The rule that rewrites a statement, if that is the first of a session; else null. */
        public @Nullable Rule rewriting(int statement, String user, String database, String application) {
            for (Rule rule : isEmpty() ? List.<Rule>of() : ofStatements.get(statement)) {
                if (rule.isFor(user, database, application)) {
                    return rule.rewrites() ? rule : null;
                }
            }
            return null;
        }
    }

    /** What was found for a shape while these were the rules. */
    private record Known(Shape shape, List<Rule> by, Fitting fitting) {}

    private final FastThreadLocal<@Nullable Known[]> known = new FastThreadLocal<>() {
        @Override
        protected @Nullable Known[] initialValue() {
            return new @Nullable Known[KNOWN];
        }
    };
    private volatile List<Rule> rules = List.of();
    private volatile boolean rewriting;

    /** Whether one of them says what is slow. */
    private volatile boolean judging;

    /** The rules that are configured. */
    public StatementRules(List<StatementRule> said) {
        reload(said);
    }

    /** RELOAD: what stays the same goes on counting. */
    public synchronized void reload(List<StatementRule> said) {
        if (!said.equals(rules.stream().map(Rule::says).toList())) {
            var before = rules.stream().collect(Collectors.toMap(Rule::says, Function.identity()));
            rules = said.stream()
                    .map(rule -> before.getOrDefault(rule, new Rule(rule)))
                    .toList();
            rewriting = rules.stream().anyMatch(Rule::rewrites);
            judging = rules.stream().anyMatch(rule -> rule.slowFrom() >= 0);
        }
    }

    /** Whether there are none. */
    public boolean isEmpty() {
        return rules.isEmpty();
    }

    /** Whether one of them rewrites statements. */
    public boolean rewrite() {
        return rewriting;
    }

    /** All of them in their order. */
    public List<Rule> all() {
        return rules;
    }

    /**
     * From when on a statement that has just been looked at is slow, in nanoseconds; -1 = no rule says that, or the shape has
     * had to give way to others meanwhile. Of several statements in a text the first with such a rule decides.
     */
    public long slowFrom(@Nullable Shape shape, String user, String database, String application) {
        if (!judging || shape == null) {
            return -1;
        }
        Known last = known.get()[(int) shape.high() & KNOWN - 1];
        if (last == null || last.shape != shape || last.by != rules || last.fitting.isEmpty()) {
            return -1;
        }
        for (Rule rule : last.fitting.of(user, database, application)) {
            if (rule.slowFrom() >= 0) {
                return rule.slowFrom();
            }
        }
        return -1;
    }

    /** What fits texts with these facts; null if that has to be found out. */
    public @Nullable Fitting known(QueryFacts facts) {
        Shape shape = (Shape) facts.shape();
        if (shape == null) {
            return null;
        }
        Known last = known.get()[(int) shape.high() & KNOWN - 1];
        return last != null && last.shape == shape && last.by == rules ? last.fitting : null;
    }

    /**
     * Finds out what fits a text.
     *
     * @param text null if it is not at hand
     * @param standardConformingStrings whether backslashes in {@code '…'} are plain characters
     */
    public Fitting find(QueryFacts facts, byte @Nullable [] text, boolean standardConformingStrings) {
        List<Rule> by = rules;
        Shape shape = (Shape) facts.shape();
        List<PlainStatement> statements =
                text == null ? null : PlainStatement.of(text, facts, standardConformingStrings);
        List<List<Rule>> fitting = new ArrayList<>(1);
        if (statements == null) {
            fitting.add(fitting(by, null, shape));
        } else {
            statements.forEach(statement -> fitting.add(fitting(by, statement, shape)));
        }
        Fitting found = fitting.stream().allMatch(List::isEmpty) ? Fitting.NONE : new Fitting(fitting);
        if (shape != null && statements != null) {
            known.get()[(int) shape.high() & KNOWN - 1] = new Known(shape, by, found);
        }
        return found;
    }

    private static List<Rule> fitting(List<Rule> rules, @Nullable PlainStatement statement, @Nullable Shape shape) {
        return rules.stream().filter(rule -> rule.fits(statement, shape)).toList();
    }
}
