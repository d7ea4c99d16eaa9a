package dev.pgproxy.cache.feed;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Set;
import org.junit.jupiter.api.Test;

class UnseenTest {
    private final Unseen unseen = new Unseen();

    @Test
    void aCommitWaitsUntilItsTransactionHasEnded() {
        Written slow = written(700);
        Written quick = written(701);
        unseen.add(slow);
        unseen.add(quick);

        assertThat(unseen.seen(Running.parse("700:702:700"))).containsExactly(quick);
        assertThat(unseen.hasCommits()).isTrue();
        assertThat(unseen.seen(Running.parse("702:702:"))).containsExactly(slow);
        assertThat(unseen.hasCommits()).isFalse();
    }

    @Test
    void whatWasOpenAtTheBeginningAndEndsUntoldMayHaveWrittenAnything() {
        unseen.begin(Running.parse("700:703:700,702"));
        assertThat(unseen.endedUntold(Running.parse("700:704:700,702"))).isFalse();

        assertThat(unseen.endedUntold(Running.parse("702:704:702"))).isTrue();
        assertThat(unseen.endedUntold(Running.parse("702:704:702"))).isFalse();
    }

    @Test
    void whatWasOpenAtTheBeginningAndIsToldByTheStreamIsKnown() {
        unseen.begin(Running.parse("700:703:700,702"));
        unseen.add(written(700));
        unseen.add(written(702));
        assertThat(unseen.endedUntold(Running.parse("703:703:"))).isFalse();
    }

    @Test
    void whatBeganLaterIsNeverUntold() {
        unseen.begin(Running.parse("700:700:"));
        assertThat(unseen.endedUntold(Running.parse("800:800:"))).isFalse();
    }

    private static Written written(int xid) {
        return new Written(xid, Set.of(new TableName("public", "t")), false, 1, 0);
    }
}
