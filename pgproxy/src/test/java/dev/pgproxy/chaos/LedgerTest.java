package dev.pgproxy.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.chaos.Ledger.Told;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Each way to lie to a client shows in the ledger. */
final class LedgerTest {
    private final Ledger ledger = new Ledger(false);
    private final Ledger.Page page = ledger.page();

    private String compared(List<Integer> there, long applied) {
        page.write(1, Told.DONE);
        page.write(2, Told.REFUSED);
        page.write(3, Told.UNKNOWN);
        ledger.compare(page, there, applied);
        return String.join("; ", ledger.violations());
    }

    @Test
    void theTruthIsNoViolation() {
        assertThat(compared(List.of(1), 1)).isEmpty();
    }

    @Test
    void whatNobodyCouldSayMayHaveHappened() {
        assertThat(compared(List.of(1, 3), 2)).isEmpty();
    }

    @Test
    void anAcknowledgedWriteThatIsLostShows() {
        assertThat(compared(List.of(3), 1)).isEqualTo("write 1 of session 0 was acknowledged and is lost");
    }

    @Test
    void aRefusedWriteThatHappenedShows() {
        assertThat(compared(List.of(1, 2), 2)).isEqualTo("write 2 of session 0 was refused and is there");
    }

    @Test
    void aWriteThatWasAppliedTwiceShows() {
        assertThat(compared(List.of(1), 2)).isEqualTo("1 writes of session 0 are there, and 2 were applied");
    }

    @Test
    void aWriteOutOfNowhereShows() {
        assertThat(compared(List.of(1, 9), 2)).isEqualTo("write 9 of session 0 was never sent");
    }

    @Test
    void aReadThatLacksAnAcknowledgedWriteShows() {
        page.write(1, Told.DONE);
        ledger.read(page, 1, 1);
        ledger.read(page, 1, 2); // one is on its way
        assertThat(ledger.violations()).isEmpty();
        ledger.read(page, 1, 0);
        ledger.read(page, 1, 3);
        assertThat(ledger.violations()).hasSize(2);
    }

    @Test
    void whatPostgresHasLostIsNoLieAndAllElseIs() {
        Ledger asynchronous = new Ledger(true);
        Ledger.Page of = asynchronous.page();
        for (int number = 1; number <= 4; number++) {
            of.write(number, Told.DONE);
        }
        asynchronous.lost(0, 3);
        asynchronous.lost(0, 4);
        asynchronous.read(of, 4, 2);
        asynchronous.compare(of, List.of(1, 2), 2);
        assertThat(asynchronous.violations()).isEmpty();
        assertThat(asynchronous.acknowledgedLost()).isEqualTo(2);
        asynchronous.compare(of, List.of(1), 1);
        asynchronous.compare(of, List.of(1, 2, 4), 3);
        asynchronous.read(of, 4, 1);
        asynchronous.compare(of, List.of(1, 2), 2);
        assertThat(asynchronous.violations())
                .containsExactly(
                        "write 2 of session 0 was acknowledged and is lost",
                        "write 4 of session 0 was lost, and somebody has repeated it",
                        "a read lacked 3 acknowledged writes of session 0, of which 2 were lost");
    }

    @Test
    void withSynchronousReplicasNothingMayBeLost() {
        page.write(1, Told.DONE);
        ledger.lost(0, 1);
        ledger.compare(page, List.of(), 0);
        assertThat(ledger.violations()).containsExactly("write 1 of session 0 was acknowledged and is lost");
    }
}
