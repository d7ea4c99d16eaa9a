package dev.pgproxy.query;

import dev.pgproxy.limit.RateLimits;
import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.frame.FrontendType;
import dev.pgproxy.protocol.frame.TransactionStatus;
import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.protocol.sql.SessionEffect;
import dev.pgproxy.protocol.sql.StatementFacts;
import dev.pgproxy.protocol.sql.StatementFlags;
import dev.pgproxy.session.Session;
import io.netty.channel.Channel;
import org.jspecify.annotations.Nullable;

/**
 * Whether a client's exchange may start its transactions under the rate limits. An exchange that begins inside a transaction
 * is let through whatever it does: what it starts behind a COMMIT is only counted. One per client, confined to its loop.
 */
final class Admission {
    private final RateLimits limits;
    private final Session session;
    private final Lease lease;
    private final Notifications notifications;
    private final Channel client;
    private final Runnable again;

    /** Whether the exchange may go on: it is looked at again whenever it has waited for something. */
    private boolean admitted;

    private @Nullable ErrorFields refusal;

    private final Patience patience = new Patience();

    /** Whether earlier exchanges were looked at, too. */
    private boolean watching;

    /** Whether what has no answer yet may begin or end a transaction. */
    private boolean uncertain;

    /** Whether an exchange has gone out in part, and its Sync is to come. */
    private boolean goesOn;

    /** Whether a transaction is open behind what has been looked at, the implicit one up to a Sync included. */
    private boolean inside;

    private int starts;

    /** @param again is called when an exchange that waited is to be looked at again, on the client's loop */
    Admission(
            RateLimits limits,
            Session session,
            Lease lease,
            Notifications notifications,
            Channel client,
            Runnable again) {
        this.limits = limits;
        this.session = session;
        this.lease = lease;
        this.notifications = notifications;
        this.client = client;
        this.again = () -> client.eventLoop().execute(again);
    }

    /** Another exchange is the one to look at. */
    void next() {
        admitted = false;
        refusal = null;
        patience.renew();
    }

    /** Why the exchange is refused; null if it is not. */
    @Nullable
    ErrorFields refusal() {
        return refusal;
    }

    /** What to do with an exchange that may not go on now; null if it may. */
    Junction.@Nullable Turn stops(Exchange exchange) {
        if (!limits.concern(session.user())) {
            watching = false;
            return null;
        }
        return admitted || startsNothing(exchange) ? null : look(exchange);
    }

    /** Whether nobody has to know what came before: a Sync may be what that waits for, and COPY takes what is sent to it. */
    private boolean startsNothing(Exchange exchange) {
        for (int i = 0; i < exchange.size(); i++) {
            byte type = exchange.type(i);
            if (type == FrontendType.QUERY || type == FrontendType.EXECUTE || type == FrontendType.FUNCTION_CALL) {
                return lease.isCopying();
            }
        }
        goesOn &= !exchange.isEnded();
        return exchange.isEnded();
    }

    private Junction.@Nullable Turn look(Exchange exchange) {
        boolean outstanding = lease.isBusy() || lease.server() != null && notifications.isBusy();
        if (!watching) {
            watching = true;
            uncertain = outstanding;
            goesOn = lease.isOpen();
            inside = goesOn;
        }
        uncertain &= outstanding;
        goesOn &= lease.isOpen(); // else it was refused, and what followed skipped
        if (refusal == null && !goesOn && uncertain) {
            return Junction.Turn.AWAITS_REPLIES;
        }
        if (refusal == null && isAdmitted(exchange)) {
            admitted = true;
            return null;
        }
        if (outstanding) {
            patience.renew(); // it waits for something else
            return Junction.Turn.AWAITS_REPLIES; // what came before is answered before
        }
        if (refusal == null) {
            return Junction.Turn.AWAITS_READING;
        }
        return client.isWritable() ? Junction.Turn.REFUSED : Junction.Turn.AWAITS_CLIENT;
    }

    private boolean isAdmitted(Exchange exchange) {
        boolean known = uncertain;
        boolean part = goesOn;
        boolean mayBeRefused = !part && session.status() == TransactionStatus.IDLE;
        if (!part) {
            inside = !mayBeRefused;
        }
        starts = 0;
        follow(exchange);
        if (starts > 0 && mayBeRefused) {
            RateLimits.Start start =
                    limits.start(session.database(), session.user(), starts, patience.isOver() ? null : again);
            refusal = start.refusal();
            if (refusal != null || start.waits()) {
                uncertain = known;
                return false;
            }
        } else if (starts > 0) {
            limits.count(session.database(), session.user(), starts);
        }
        goesOn = !exchange.isEnded();
        return true;
    }

    /** Counts the transactions that an exchange starts. */
    private void follow(Exchange exchange) {
        for (int i = 0; i < exchange.size(); i++) {
            switch (exchange.type(i)) {
                case FrontendType.QUERY -> run(exchange.facts(i));
                case FrontendType.EXECUTE -> {
                    int bind = exchange.bindOf(i);
                    run(bind < 0 ? null : exchange.bound(bind, session));
                }
                case FrontendType.FUNCTION_CALL -> run(QueryFacts.EMPTY);
                default -> {}
            }
        }
        if (!exchange.isEnded()) {
            enter(); // even what only prepares is in the transaction that lasts until Sync
        }
    }

    /** @param facts null if it is not known what runs */
    private void run(@Nullable QueryFacts facts) {
        if (facts == null || facts.has(StatementFlags.OPAQUE)) {
            uncertain = true;
        }
        if (facts == null || facts.statementCount() == 0) {
            enter();
            inside &= facts != null;
            return;
        }
        for (StatementFacts statement : facts.statements()) {
            run(statement);
        }
    }

    private void run(StatementFacts statement) {
        SessionEffect effect = statement.effect();
        if (effect instanceof SessionEffect.Commit commit) {
            leave(commit.chain());
        } else if (effect instanceof SessionEffect.Rollback rollback) {
            leave(rollback.chain());
        } else if (effect instanceof SessionEffect.PrepareTransaction) {
            leave(false);
        } else {
            uncertain |= effect instanceof SessionEffect.Begin;
            enter();
        }
    }

    private void enter() {
        starts += inside ? 0 : 1;
        inside = true;
    }

    private void leave(boolean chain) {
        uncertain = true;
        starts += inside && chain ? 1 : 0;
        inside &= chain;
    }
}
