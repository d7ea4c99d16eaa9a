package dev.pgproxy.advice.rule;

import dev.pgproxy.advice.Advice;
import dev.pgproxy.advice.Load;
import dev.pgproxy.advice.facts.DatabaseFacts;
import dev.pgproxy.advice.facts.Identifier;
import dev.pgproxy.advice.facts.OpenTransaction;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Transactions that wait for their client, or have been open for long. Stateless. */
final class LongTransactions implements Rule {
    private static final Duration IDLE = Duration.ofSeconds(60);
    private static final Duration OPEN = Duration.ofMinutes(5);

    @Override
    public List<Advice> of(List<Load> loads, DatabaseFacts facts) {
        List<Advice> advice = new ArrayList<>();
        for (OpenTransaction open : facts.surroundings().open()) {
            boolean idle = open.isIdle() && open.idle().compareTo(IDLE) >= 0;
            if (!idle && open.open().compareTo(OPEN) < 0) {
                continue;
            }
            String who = open.user() + (open.application().isEmpty() ? "" : " (" + open.application() + ")");
            advice.add(Advice.of(
                    idle ? "idle_in_transaction" : "long_transaction",
                    0,
                    "",
                    "",
                    idle
                            ? "end transactions before the client does something else"
                            : "do the work in smaller transactions",
                    who + ", server process " + open.pid() + ": open for "
                            + open.open().toSeconds() + " s"
                            + (idle ? ", idle for " + open.idle().toSeconds() + " s" : "")
                            + "; it holds its locks and a server, and VACUUM cannot remove what it may see",
                    idle
                            ? "ALTER ROLE " + Identifier.quoted(open.user())
                                    + " SET idle_in_transaction_session_timeout = '60s'"
                            : ""));
        }
        return advice;
    }
}
