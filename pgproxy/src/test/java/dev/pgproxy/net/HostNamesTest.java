package dev.pgproxy.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.util.concurrent.DefaultEventExecutor;
import io.netty.util.concurrent.Future;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class HostNamesTest {
    private final DefaultEventExecutor loop = new DefaultEventExecutor();
    private final List<Runnable> waiting = new ArrayList<>();

    @AfterEach
    void stop() throws InterruptedException {
        loop.shutdownGracefully(0, 1, TimeUnit.SECONDS).sync();
    }

    private Future<InetSocketAddress> resolve(HostNames names, String host) {
        return names.getResolver(loop).resolve(InetSocketAddress.createUnresolved(host, 5432));
    }

    private void runWaiting() {
        List<Runnable> now = List.copyOf(waiting);
        waiting.clear();
        now.forEach(Runnable::run);
    }

    @Test
    void aNameIsLookedUpElsewhereAndOnceForAllWhoAsk() throws Exception {
        HostNames names = new HostNames(waiting::add, Duration.ofMinutes(1));
        Future<InetSocketAddress> first = resolve(names, "localhost");
        Future<InetSocketAddress> second = resolve(names, "localhost");
        assertThat(first.isDone()).isFalse();
        assertThat(waiting).hasSize(1);
        runWaiting();
        assertThat(first.get(5, TimeUnit.SECONDS).getAddress().isLoopbackAddress())
                .isTrue();
        assertThat(second.get(5, TimeUnit.SECONDS).getPort()).isEqualTo(5432);
        assertThat(resolve(names, "localhost").get(5, TimeUnit.SECONDS)).isNotNull();
        assertThat(waiting).isEmpty();
        assertThat(names.known()).extracting(HostNames.Known::name).containsExactly("localhost");
    }

    @Test
    void withoutTimeToLiveEveryUseLooksUpAnew() throws Exception {
        HostNames names = new HostNames(waiting::add, Duration.ZERO);
        Future<InetSocketAddress> first = resolve(names, "localhost");
        runWaiting();
        first.get(5, TimeUnit.SECONDS);
        Future<InetSocketAddress> second = resolve(names, "localhost");
        assertThat(waiting).hasSize(1);
        runWaiting();
        assertThat(second.get(5, TimeUnit.SECONDS)).isNotNull();
    }

    @Test
    void aFailureSaysTheNameAndIsNotKept() {
        HostNames names = new HostNames(waiting::add, Duration.ofMinutes(1));
        Future<InetSocketAddress> first = resolve(names, "no-such-host.invalid");
        runWaiting();
        assertThatThrownBy(() -> first.get(5, TimeUnit.SECONDS))
                .hasCauseInstanceOf(UnknownHostException.class)
                .hasMessageContaining("no-such-host.invalid");
        resolve(names, "no-such-host.invalid");
        assertThat(waiting).hasSize(1);
        assertThat(names.known()).isEmpty();
    }
}
