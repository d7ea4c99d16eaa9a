package dev.pgproxy.query;

import dev.pgproxy.insight.Caller;
import dev.pgproxy.routing.sql.Shape;
import dev.pgproxy.rules.StatementRules;
import dev.pgproxy.session.Reported;
import dev.pgproxy.session.Session;
import org.jspecify.annotations.Nullable;

/** Whom a session's statements are counted for: made anew only when its application_name is another. Confined to its loop. */
final class SessionCaller {
    private final Session session;
    private @Nullable Reported known;
    private Caller caller;

    SessionCaller(Session session) {
        this.session = session;
        this.caller = new Caller(session.database(), session.user(), session.application());
    }

    /** At this moment. */
    Caller now() {
        Reported now = session.reported();
        if (now != known) {
            known = now;
            String application = session.application();
            if (!caller.application().equals(application)) {
                caller = new Caller(session.database(), session.user(), application);
            }
        }
        return caller;
    }

    /** Nanoseconds from which on a statement of theirs is slow by a rule; -1 = by none. */
    long slowFrom(StatementRules rules, @Nullable Shape shape) {
        Caller by = now(); // looking for the name in what was reported costs more
        return rules.slowFrom(shape, by.user(), by.database(), by.application());
    }
}
