package dev.pgproxy.query;

import dev.pgproxy.config.RateLimit;
import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.backend.SqlState;
import dev.pgproxy.protocol.frame.FrontendType;
import dev.pgproxy.protocol.frame.TransactionStatus;
import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.rules.Rule;
import dev.pgproxy.rules.StatementRules;
import dev.pgproxy.session.Session;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What the rules of the configuration make of a client's exchanges. A statement that is refused never reaches a server: the
 * exchange is answered by us where nothing of it has to run, else a {@link Refusals statement that fails} takes its place. An
 * exchange with any other rule is at the server by itself: it waits for what was before, and what follows waits for it. One
 * per client, confined to its loop.
 */
final class RuleGate {
    private final Restraints restraints;
    private final StatementRules rules;
    private final Session session;
    private final Lease lease;
    private final Notifications notifications;
    private final ClientLink link;
    private final Refusals refusals = new Refusals();
    private final RuleWatch watch;
    private final ResultLimit limit = new ResultLimit();
    private final RuleRates rates;

    /** Whether the exchange has been looked at: it comes again whenever it has waited for something. */
    private boolean looked;

    private boolean admitted;

    /** Whether it is the next to be sent. */
    private boolean passed;

    private @Nullable ErrorFields refusal;

    /** Whether what follows of a long message is not for the server. */
    private boolean dropsRest;

    /** What is to be watched while the exchange runs. */
    private List<Rule> mine = List.of();

    /** The rules of portals that were bound and may be executed later. */
    private final Map<String, List<Rule>> portals = new HashMap<>(2);

    RuleGate(
            QueryFlow flow,
            Restraints restraints,
            Session session,
            Lease lease,
            Notifications notifications,
            Cancels cancels,
            ClientLink link) {
        this.restraints = restraints;
        this.rules = restraints.rules();
        this.session = session;
        this.lease = lease;
        this.notifications = notifications;
        this.link = link;
        this.watch = new RuleWatch(flow, lease, cancels, link.channel().eventLoop());
        this.rates = new RuleRates(restraints.rates(), link.channel().eventLoop(), flow::goOn);
    }

    Restraints restraints() {
        return restraints;
    }

    /** How much of what runs its client may be sent. */
    ResultLimit limit() {
        return limit;
    }

    /** Another exchange is the one to look at. */
    void next() {
        looked = false;
        admitted = false;
        refusal = null;
        dropsRest = false;
        rates.next();
    }

    /** Why the exchange is refused; null if it is not. */
    @Nullable
    ErrorFields refusal() {
        return refusal;
    }

    /** Whether what follows of the exchange's last message is not for the server. */
    boolean dropsRest() {
        return dropsRest;
    }

    /** What to do with an exchange that may not go on now; null if it may. What is left of it may go to a server. */
    Junction.@Nullable Turn stops(Exchange exchange) {
        Junction.Turn turn = turn(exchange);
        passed = turn == null;
        return turn;
    }

    private Junction.@Nullable Turn turn(Exchange exchange) {
        if (rules.isEmpty() && !watch.isOn() && !watch.mayStrike()) {
            mine = List.of();
            limit.want(mine);
            return null;
        }
        if (!looked) {
            looked = true;
            look(exchange);
            boolean cuttable = !mine.isEmpty() && !lease.isOpen() && ResultLimit.isCuttable(exchange, session);
            limit.want(cuttable ? mine : List.of());
        }
        if (!lease.isOpen() && !lease.isCopying() && runs(exchange) && waits()) {
            return Junction.Turn.AWAITS_REPLIES;
        }
        if (rates.waits()) {
            return Junction.Turn.AWAITS_REPLIES; // of Redis, for once
        }
        pace(exchange);
        if (refusal != null || !mine.isEmpty()) {
            if (!link.channel().isWritable()) {
                return Junction.Turn.AWAITS_CLIENT;
            }
        }
        return refusal == null ? null : Junction.Turn.REFUSED;
    }

    /** Whether an exchange has to come again when what was before it has been answered. */
    private boolean waits() {
        boolean outstanding = lease.isBusy() || lease.server() != null && notifications.isBusy();
        return outstanding && (watch.isOn() || !mine.isEmpty()) || watch.settles();
    }

    private static boolean runs(Exchange exchange) {
        for (int i = 0; i < exchange.size(); i++) {
            switch (exchange.type(i)) {
                case FrontendType.QUERY,
                        FrontendType.PARSE,
                        FrontendType.BIND,
                        FrontendType.EXECUTE,
                        FrontendType.FUNCTION_CALL -> {
                    return true;
                }
                default -> {}
            }
        }
        return false;
    }

    // ---- which rules

    private void look(Exchange exchange) {
        mine = List.of();
        for (int i = 0; i < exchange.size(); i++) {
            List<Rule> found = rulesOf(exchange, i);
            for (Rule rule : found) {
                if (rule.says().deny() != null) {
                    rule.count();
                    rule.countRefused();
                    refuse(exchange, i, rule.denied());
                    return;
                }
            }
            if (exchange.type(i) != FrontendType.PARSE) {
                found.forEach(this::watch);
                count(found, exchange, i);
            }
        }
    }

    private void watch(Rule rule) {
        rule.count();
        if (!rule.restrains()) {
            return;
        }
        if (mine.isEmpty()) {
            mine = new ArrayList<>(1);
        }
        if (!mine.contains(rule)) {
            mine.add(rule);
        }
    }

    private List<Rule> rulesOf(Exchange exchange, int i) {
        return switch (exchange.type(i)) {
            case FrontendType.QUERY, FrontendType.PARSE -> rulesOf(exchange.facts(i), exchange, i);
            case FrontendType.BIND -> {
                List<Rule> found = rulesOf(exchange.bound(i, session), exchange, i);
                remember(exchange.portalName(i), found);
                yield found;
            }
            case FrontendType.EXECUTE ->
                portals.isEmpty() || exchange.bindOf(i) >= 0
                        ? List.of()
                        : portals.getOrDefault(Objects.requireNonNullElse(exchange.portalName(i), ""), List.of());
            default -> List.of();
        };
    }

    private void remember(@Nullable String portal, List<Rule> found) {
        if (portal != null && !found.isEmpty()) {
            portals.put(portal, found);
        } else if (portal != null && !portals.isEmpty()) {
            portals.remove(portal);
        }
    }

    private List<Rule> rulesOf(@Nullable QueryFacts facts, Exchange exchange, int i) {
        if (facts == null) {
            return List.of(); // the server knows of no such statement, either
        }
        StatementRules.Fitting fitting = fitting(facts, exchange, i);
        return fitting.isEmpty() ? List.of() : fitting.of(session.user(), session.database(), session.application());
    }

    private StatementRules.Fitting fitting(QueryFacts facts, Exchange exchange, int i) {
        StatementRules.Fitting known = rules.known(facts);
        return known == null
                ? rules.find(
                        facts, exchange.text(i, session), session.reported().isConforming())
                : known;
    }

    // ---- how often

    /** What has a rate counts when it is bound: executing a portal in parts is one execution. */
    private void count(List<Rule> found, Exchange exchange, int i) {
        if (exchange.type(i) == FrontendType.EXECUTE || restraints.rates().isExempt(session.user())) {
            return;
        }
        for (Rule rule : found) {
            RateLimit limit = rule.says().rate();
            if (limit != null) {
                rates.add(i, rule, limit, times(rule, exchange, i));
            }
        }
    }

    private int times(Rule rule, Exchange exchange, int i) {
        QueryFacts facts = exchange.facts(i);
        return exchange.type(i) == FrontendType.QUERY && facts != null
                ? fitting(facts, exchange, i).times(rule, session.user(), session.database(), session.application())
                : 1;
    }

    /** One that would be one too many is refused. */
    private void pace(Exchange exchange) {
        RuleRates.Run run = rates.refused();
        ErrorFields error = rates.refusal();
        if (run != null && error != null) {
            rates.next();
            run.rule().countRefused();
            refuse(exchange, preparing(run, exchange), error);
        }
    }

    /** The Parse of a statement that is refused when it is bound: so the server learns nothing of it. */
    private int preparing(RuleRates.Run run, Exchange exchange) {
        int message = run.message();
        for (int i = message - 1; i >= 0 && exchange.type(i) != FrontendType.BIND; i--) {
            if (exchange.type(i) == FrontendType.PARSE && rulesOf(exchange, i).contains(run.rule())) {
                message = i;
            }
        }
        return message;
    }

    // ---- refusing

    /** A message of the exchange and all behind it shall fail, as if the server had said so. */
    private void refuse(Exchange exchange, int message, ErrorFields error) {
        mine = List.of();
        if (message == 0 && lease.server() == null) {
            if (exchange.type(0) == FrontendType.QUERY || "".equals(exchange.parsedName(0))) {
                session.unnamed(null);
            }
            refusal = error;
            return;
        }
        dropsRest = !exchange.isWhole(exchange.size() - 1);
        lease.watch().refusing(exchange, message);
        refusals.put(exchange, message, error, link.channel().alloc());
    }

    /** What the client is told in place of a server's error; null if that says it itself. */
    @Nullable
    ErrorFields instead(ErrorFields error) {
        Rule expired = watch.expired();
        return expired != null && error.code().equals(SqlState.QUERY_CANCELED.code())
                ? expired.expired()
                : refusals.of(error);
    }

    // ---- running

    /** The exchange is to be sent to the server that is leased, or one is asked for: not if it would be one too many. */
    Junction.Turn admit(Exchange exchange, Junction.Turn turn) {
        if (admitted || mine.isEmpty()) {
            return turn;
        }
        admitted = true;
        Rule full = watch.enter(mine);
        if (full == null) {
            return turn;
        }
        full.countRefused();
        int message = 0;
        while (message < exchange.size() - 1 && !rulesOf(exchange, message).contains(full)) {
            message++;
        }
        refuse(exchange, message, full.crowded());
        return refusal == null ? turn : Junction.Turn.REFUSED;
    }

    /** The exchange has been sent. */
    void sent() {
        if (passed && !mine.isEmpty()) { // not if what was before it is sent once more
            watch.begin(mine);
            limit.begin();
        }
        passed = false;
    }

    /** A result was cut off. */
    void cut() {
        watch.cut();
    }

    /** ReadyForQuery; {@code quiet} if nothing else is expected. */
    void ready(byte status, boolean quiet) {
        if (quiet) {
            end();
            refusals.clear();
            if (status == TransactionStatus.IDLE && !portals.isEmpty()) {
                portals.clear();
            }
        }
    }

    /** What was under rules runs no more. */
    void end() {
        limit.end();
        watch.end();
    }
}
