package dev.pgproxy.pool;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.routing.Priority;
import dev.pgproxy.server.ServerConnection;
import dev.pgproxy.session.Settings;
import io.netty.channel.DefaultEventLoop;
import io.netty.channel.EventLoop;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

final class WaitingClientsTest {
    private static final Priority[] ALL = Priority.values();

    private final WaitingCounts counts = new WaitingCounts();
    private final WaitingClients waiting = new WaitingClients(counts);

    private record Client(Priority priority, int number) implements LeaseListener {
        @Override
        public EventLoop loop() {
            return new DefaultEventLoop();
        }

        @Override
        public Settings wantedSettings() {
            return Settings.NONE;
        }

        @Override
        public Set<String> customSettings() {
            return Set.of();
        }

        @Override
        public void granted(ServerConnection server) {}

        @Override
        public void refused(ErrorFields error) {}
    }

    /**
     * While two classes have somebody who waits, what each has been given differs from its share by less than one turn of
     * either; and within a class it is first come first served, whatever else happens.
     */
    @Test
    void eachClassHasItsShareAndNobodyIsPassedByHisEquals() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        for (int run = 0; run < 50; run++) {
            Map<Priority, Deque<Client>> model = new EnumMap<>(Priority.class);
            for (Priority priority : ALL) {
                model.put(priority, new ArrayDeque<>());
            }
            // what each has been given since both of a pair last began to wait
            double[][] given = new double[ALL.length][ALL.length];
            for (int step = 0; step < 2_000; step++) {
                Priority of = ALL[random.nextInt(ALL.length)];
                Deque<Client> line = Objects.requireNonNull(model.get(of));
                switch (random.nextInt(8)) {
                    case 0, 1, 2 -> {
                        Client client = new Client(of, step);
                        waiting.add(client);
                        line.addLast(client);
                        if (line.size() == 1) {
                            forget(given, of);
                        }
                    }
                    case 3 -> {
                        if (line.size() > 1 && waiting.remove(line.peekLast())) {
                            line.removeLast();
                        }
                    }
                    default -> {
                        Client next = (Client) waiting.poll(client -> true);
                        if (next == null) {
                            assertThat(model.values()).as("seed %d", seed).allMatch(Deque::isEmpty);
                        } else {
                            Deque<Client> served = Objects.requireNonNull(model.get(next.priority()));
                            assertThat(next).as("seed %d", seed).isEqualTo(served.pollFirst());
                            count(given, next.priority(), model, seed);
                            if (served.isEmpty()) {
                                forget(given, next.priority());
                            }
                        }
                    }
                }
                assertThat(waiting.size())
                        .as("seed %d", seed)
                        .isEqualTo(model.values().stream().mapToInt(Deque::size).sum());
                assertThat(counts.waiting(of)).as("seed %d", seed).isEqualTo(line.size());
            }
            waiting.pollAll();
        }
    }

    private static void forget(double[][] given, Priority who) {
        for (Priority other : ALL) {
            given[who.ordinal()][other.ordinal()] = 0;
            given[other.ordinal()][who.ordinal()] = 0;
        }
    }

    private static void count(double[][] given, Priority who, Map<Priority, Deque<Client>> model, long seed) {
        for (Priority other : ALL) {
            if (other != who && !Objects.requireNonNull(model.get(other)).isEmpty()) {
                given[who.ordinal()][other.ordinal()] += 1.0 / who.weight();
                assertThat(given[who.ordinal()][other.ordinal()] - given[other.ordinal()][who.ordinal()])
                        .as("seed %d: %s before %s", seed, who, other)
                        .isLessThanOrEqualTo(2.0 / who.weight() + 2.0 / other.weight());
            }
        }
    }

    @Test
    void whoCannotUseTheServerHoldsUpNobody() {
        Client picky = new Client(Priority.CRITICAL, 1);
        Client other = new Client(Priority.BATCH, 2);
        waiting.add(picky);
        waiting.add(other);
        assertThat(waiting.poll(client -> client != picky)).isEqualTo(other);
        assertThat(waiting.isCritical()).isTrue();
        assertThat(waiting.poll(client -> true)).isEqualTo(picky);
        assertThat(waiting.isEmpty()).isTrue();
    }
}
