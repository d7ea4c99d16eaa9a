package dev.pgproxy.alert;

import dev.pgproxy.cache.feed.FeedStatus;
import dev.pgproxy.config.AlertSettings;
import dev.pgproxy.route.DatabaseFeed;
import dev.pgproxy.route.DatabaseState;
import dev.pgproxy.route.Routes;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The change feed of a database does not tell what is written elsewhere. */
record FeedLost(Routes routes) implements Condition {
    @Override
    public AlertKind kind() {
        return AlertKind.CHANGE_FEED_LOST;
    }

    @Override
    public List<Reading> look(AlertSettings settings, long now) {
        List<Reading> readings = new ArrayList<>();
        for (DatabaseState state : routes.all()) {
            DatabaseFeed feed = state.feed();
            if (feed == null) {
                continue;
            }
            FeedStatus decoding = feed.decoding();
            FeedStatus best = decoding == null ? feed.listening() : decoding;
            boolean tells = best.state() == FeedStatus.State.STREAMING || best.state() == FeedStatus.State.LISTENING;
            readings.add(Reading.of(
                    state.database().name() + " on " + state.database().primary(), !tells, text(best)));
        }
        return readings;
    }

    private static String text(FeedStatus feed) {
        String state = "it is " + feed.state().toString().toLowerCase(Locale.ROOT);
        String reason = feed.reason().isEmpty() ? "" : ": " + feed.reason();
        return state + reason + (feed.hint().isEmpty() ? "" : " (" + feed.hint() + ")");
    }
}
