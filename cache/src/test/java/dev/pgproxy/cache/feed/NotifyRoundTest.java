package dev.pgproxy.cache.feed;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.Test;

/** A listening connection counts from when it has heard itself, and no longer than it does. */
class NotifyRoundTest implements FeedListener {
    private static final NotifyEvent TOLD = new NotifyEvent.Told(List.of(new Invalidation.Everything()));
    private static final NotifyEvent FAILED = new NotifyEvent.Failed(FeedLoss.transitory("broken", ""));

    private final List<String> told = new ArrayList<>();
    private final FeedReports reports = new FeedReports(this, "test", FeedLevel.NOTIFY);

    @Override
    public void covering() {
        told.add("covering");
    }

    @Override
    public void written(Set<TableName> tables) {
        told.add("written");
    }

    @Override
    public boolean notified(Invalidation what) {
        told.add("notified");
        return true;
    }

    @Override
    public void everythingWritten() {
        told.add("everything");
    }

    @Override
    public void lost(String why, boolean retries) {
        told.add("lost");
    }

    private static NotifyEvent beat(double queueUsage, boolean inRecovery) {
        return new NotifyEvent.Beat(Duration.ofMillis(1), queueUsage, inRecovery);
    }

    private FeedLoss follow(NotifyEvent... events) throws InterruptedException {
        BlockingQueue<NotifyEvent> queue = new LinkedBlockingQueue<>(List.of(events));
        FeedSettings settings = FeedSettings.DEFAULT.withPatience(Duration.ofSeconds(2));
        FeedLoss loss = new NotifyRound(queue, settings, reports).follow();
        reports.ended(loss);
        return loss;
    }

    @Test
    void itCoversFromTheFirstReturnOn() throws InterruptedException {
        assertThat(follow(new NotifyEvent.Listening(), TOLD, beat(0, false), TOLD, beat(0, false), TOLD, FAILED)
                        .why())
                .isEqualTo("broken");
        assertThat(told).containsExactly("covering", "notified", "notified", "lost");
    }

    @Test
    void whoDoesNotHearItselfNeverCovers() throws InterruptedException {
        assertThat(follow(new NotifyEvent.Listening(), TOLD)).isSameAs(FeedLoss.DEAF);
        assertThat(told).containsExactly("lost");
    }

    @Test
    void silenceEndsIt() throws InterruptedException {
        assertThat(follow(new NotifyEvent.Listening(), beat(0, false), TOLD)).isSameAs(FeedLoss.SILENCE);
        assertThat(told).containsExactly("covering", "notified", "lost");
    }

    @Test
    void aQueueThatFillsEndsItBeforeTriggersKeepSilent() throws InterruptedException {
        assertThat(follow(new NotifyEvent.Listening(), beat(0.2, false), beat(0.3, false), FAILED)
                        .why())
                .contains("more than a quarter full");
        assertThat(told).containsExactly("covering", "lost");
        assertThat(follow(new NotifyEvent.Listening(), beat(0.3, false), FAILED).refused())
                .isFalse();
        assertThat(told).doesNotContain("everything").hasSize(2);
    }

    @Test
    void aStandbyEndsIt() throws InterruptedException {
        assertThat(follow(new NotifyEvent.Listening(), beat(0, false), beat(0, true), FAILED))
                .isSameAs(FeedLoss.STANDBY);
        assertThat(reports.status(Duration.ZERO).state()).isEqualTo(FeedStatus.State.REFUSED);
    }
}
