package dev.pgproxy.cache.redis;

import io.lettuce.core.ClientOptions;
import io.lettuce.core.MaintNotificationsConfig;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisException;
import io.lettuce.core.RedisURI;
import io.lettuce.core.SocketOptions;
import io.lettuce.core.SslOptions;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.codec.StringCodec;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;
import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.DefaultClientResources;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * Opens connections to one Redis, on two I/O threads of its own. None of them reconnects by itself: a connection is to one
 * process of Redis or it is lost, and who holds it must know, because what was sent and heard on it belongs together.
 * Thread-safe.
 */
public final class RedisAccess implements AutoCloseable {
    private static final int THREADS = 2;

    private final RedisSettings settings;
    private final ClientResources resources;
    private final RedisClient client;
    private final RedisURI uri;

    /** Opens nothing yet. */
    public RedisAccess(RedisSettings settings) {
        this.settings = settings;
        this.uri = uri(settings);
        this.resources = DefaultClientResources.builder()
                .ioThreadPoolSize(THREADS)
                .computationThreadPoolSize(THREADS)
                .build();
        this.client = RedisClient.create(resources);
        client.setOptions(options(settings));
    }

    private static RedisURI uri(RedisSettings settings) {
        RedisURI uri = RedisURI.create(settings.uri().replaceFirst("^unix://", "redis-socket://"));
        uri.setTimeout(settings.connectTimeout());
        RedisURI.Builder builder = RedisURI.builder(uri);
        if (settings.password() != null) {
            char[] password = settings.password().toCharArray();
            builder = settings.user() == null
                    ? builder.withPassword(password)
                    : builder.withAuthentication(settings.user(), password);
        }
        return builder.build();
    }

    private static ClientOptions options(RedisSettings settings) {
        ClientOptions.Builder options = ClientOptions.builder()
                .autoReconnect(false)
                .disconnectedBehavior(ClientOptions.DisconnectedBehavior.REJECT_COMMANDS)
                .maintNotificationsConfig(MaintNotificationsConfig.disabled())
                .socketOptions(SocketOptions.builder()
                        .connectTimeout(settings.connectTimeout())
                        .keepAlive(true)
                        .build());
        if (settings.caFile() != null) {
            options.sslOptions(SslOptions.builder()
                    .jdkSslProvider()
                    .trustManager(settings.caFile().toFile())
                    .build());
        }
        return options.build();
    }

    RedisSettings settings() {
        return settings;
    }

    CompletionStage<StatefulRedisConnection<String, String>> texts() {
        return connection(() -> client.connectAsync(StringCodec.UTF8, uri));
    }

    CompletionStage<StatefulRedisPubSubConnection<String, String>> subscriptions() {
        return connection(() -> client.connectPubSubAsync(StringCodec.UTF8, uri));
    }

    CompletionStage<StatefulRedisConnection<byte[], byte[]>> values() {
        return connection(() -> client.connectAsync(ByteArrayCodec.INSTANCE, uri));
    }

    /** Lettuce throws where it could fail: when this was closed. */
    private static <C> CompletionStage<C> connection(Supplier<CompletionStage<C>> connect) {
        try {
            return connect.get();
        } catch (IllegalStateException | RedisException e) {
            return CompletableFuture.failedStage(e);
        }
    }

    /** Closes every connection, and then the threads. Does not wait. */
    @Override
    public void close() {
        client.shutdownAsync(0, 1, TimeUnit.SECONDS).whenComplete((done, failure) -> resources.shutdown());
    }

    @Override
    public String toString() {
        return settings.address();
    }
}
