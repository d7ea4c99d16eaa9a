package dev.pgproxy.insight;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

/** What the DETAIL of 40P01 says, and what is remembered of it. */
final class DeadlocksTest {
    private static final Caller ANN = new Caller("d", "ann", "app");

    @Test
    void theBackendsOfARingAreFoundInAnyLanguage() {
        assertThat(Deadlocks.others("""
                        Process 11 waits for ShareLock on transaction 740; blocked by process 22.
                        Process 22 waits for ExclusiveLock on tuple (0,1) of relation 16385 of database 5; blocked by process 33.
                        Process 33 waits for AccessExclusiveLock on relation 16390 of database 5; blocked by process 11.""", 22)).containsExactly(33, 11);
        assertThat(Deadlocks.others(
                        "Prozess 11 wartet auf ShareLock-Sperre auf Transaktion 740; blockiert von Prozess 22.\n"
                                + "Prozess 22 wartet auf ShareLock-Sperre auf Transaktion 739; blockiert von Prozess 11.",
                        11))
                .containsExactly(22);
    }

    @Test
    void whatIsNoRingSaysNothing() {
        assertThat(Deadlocks.others("", 1)).isEmpty();
        assertThat(Deadlocks.others("Process 1 waits", 1)).isEmpty();
        assertThat(Deadlocks.others("1 blocked by 2\n2 blocked by 3", 1)).isEmpty();
        assertThat(Deadlocks.others("1 blocked by 2\n2 blocked by 3\n3 blocked by 2", 1))
                .isEmpty();
        assertThat(Deadlocks.others("1 blocked by 2\n2 blocked by 1", 7)).isEmpty();
        assertThat(Deadlocks.others("9999999999 1\n1 9999999999", 1).size()).isLessThan(2);
    }

    @Test
    void theOthersAreToldWithHowOften() {
        Deadlocks deadlocks = new Deadlocks();
        DeadlockSide one = new DeadlockSide(ANN, "f1", "UPDATE a");
        DeadlockSide other = new DeadlockSide(ANN, "f2", "UPDATE b");
        deadlocks.add(List.of(one, other));
        deadlocks.add(List.of(other, one));
        deadlocks.add(List.of(one, one));
        assertThat(deadlocks.with("f1"))
                .containsExactlyInAnyOrder("2 times with f2 (UPDATE b)", "1 time with itself in another session");
        assertThat(deadlocks.with("f2")).containsExactly("2 times with f1 (UPDATE a)");
        for (int i = 0; i < 1000; i++) {
            deadlocks.add(List.of(one, new DeadlockSide(ANN, "g" + i, "DELETE")));
        }
        assertThat(deadlocks.with("f1")).hasSize(100);
    }
}
