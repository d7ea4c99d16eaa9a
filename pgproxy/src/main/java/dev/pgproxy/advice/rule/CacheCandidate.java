package dev.pgproxy.advice.rule;

import dev.pgproxy.advice.Advice;
import dev.pgproxy.advice.Load;
import dev.pgproxy.advice.facts.DatabaseFacts;
import dev.pgproxy.advice.statement.ReadStatement;
import dev.pgproxy.advice.statement.ReadStatement.Trait;
import dev.pgproxy.advice.statement.ReadStatement.Verb;
import dev.pgproxy.advice.statement.TableUse;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A frequent read of tables that are hardly written, which the cache has not answered. Stateless. */
final class CacheCandidate implements Rule {
    private static final int CALLS = 1000;
    private static final double LEAST_GAIN = 1000;

    /** Reads for each row written. */
    private static final double OFTEN = 10;

    private static final Pattern CALL =
            Pattern.compile("(?i)\\b([a-z_][a-z_0-9]*)\\s*\\(|\\b(current_\\w+|localtime\\w*)\\b");

    /** Functions whose result depends on nothing else, and words that may stand before a parenthesis. */
    private static final Set<String> HARMLESS = Set.of(
            ("count sum min max avg lower upper length coalesce nullif abs round in any all exists values and or not where"
                            + " from join on using select as by having with case when then else over lateral")
                    .split(" "));

    @Override
    public List<Advice> of(List<Load> loads, DatabaseFacts facts) {
        Map<String, Double> written = new HashMap<>();
        for (Load load : loads) {
            ReadStatement statement = load.statement();
            if (statement != null && statement.written() != null) {
                written.merge(statement.written().shown(), (double) Math.max(load.rows(), load.calls()), Double::sum);
            }
        }
        List<Advice> advice = new ArrayList<>();
        for (Load load : loads) {
            ReadStatement statement = load.statement();
            if (statement != null && isCandidate(load, statement)) {
                double writes = 0;
                for (TableUse use : statement.uses()) {
                    writes += written.getOrDefault(use.table().shown(), 0.0);
                }
                if (writes * OFTEN <= load.calls()) {
                    add(load, statement, writes, advice);
                }
            }
        }
        return advice;
    }

    private static boolean isCandidate(Load load, ReadStatement statement) {
        if (statement.verb() != Verb.SELECT
                || statement.has(Trait.LOCKS)
                || !statement.isComplete()
                || statement.uses().isEmpty()
                || load.calls() < CALLS
                || load.cached() > 0) {
            return false;
        }
        Matcher call = CALL.matcher(load.text());
        while (call.find()) {
            if (call.group(1) == null || !HARMLESS.contains(call.group(1).toLowerCase(Locale.ROOT))) {
                return false;
            }
        }
        return true;
    }

    private static void add(Load load, ReadStatement statement, double writes, List<Advice> advice) {
        double gain = 0.5 * load.servedPerHour() * (1 - writes / load.calls());
        if (gain >= LEAST_GAIN) {
            advice.add(Advice.of(
                    "cache",
                    gain,
                    load.fingerprint(),
                    statement.uses().getFirst().table().shown(),
                    "let the cache answer it, if the same parameters come again: cache_mode = shadow tells how often",
                    String.format(
                            Locale.ROOT,
                            "%d calls of %.2f ms, none answered by the cache; %.0f rows of its tables were written through"
                                    + " pgproxy meanwhile",
                            load.calls(),
                            load.mean(),
                            writes),
                    ""));
        }
    }
}
