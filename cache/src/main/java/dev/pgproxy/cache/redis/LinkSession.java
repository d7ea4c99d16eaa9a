package dev.pgproxy.cache.redis;

import io.lettuce.core.RedisChannelHandler;
import io.lettuce.core.RedisConnectionStateListener;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.api.StatefulConnection;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.async.RedisAsyncCommands;
import io.lettuce.core.pubsub.RedisPubSubAdapter;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;

/**
 * Two connections to one process of Redis: one for commands and one that hears messages. If either is lost, both are.
 * Thread-safe; what it tells comes on Redis' I/O threads.
 */
final class LinkSession {
    private final StatefulRedisConnection<String, String> commands;
    private final StatefulRedisPubSubConnection<String, String> messages;
    private final String prefix;
    private final String self;
    private final String[] keys;
    private final Map<LinkScript, String> digests = new EnumMap<>(LinkScript.class);

    private LinkSession(
            StatefulRedisConnection<String, String> commands,
            StatefulRedisPubSubConnection<String, String> messages,
            String prefix,
            String self) {
        this.commands = commands;
        this.messages = messages;
        this.prefix = prefix;
        this.self = self;
        this.keys = new String[] {
            prefix + "state", prefix + "members", prefix + "lost", prefix + "doubts", prefix + "epochs"
        };
        for (LinkScript script : LinkScript.values()) {
            digests.put(script, commands.async().digest(script.text()));
        }
    }

    /**
     * Connects and subscribes.
     *
     * @param self the instance whose own channel is heard besides that of all
     * @param heard gets each message
     * @param lost is called when a connection is lost, perhaps more than once
     */
    static CompletionStage<LinkSession> open(RedisAccess access, String self, Consumer<String> heard, Runnable lost) {
        // a hash tag, so that a Redis Cluster keeps everything in one place; the number is that of these formats
        String prefix = "{" + access.settings().namespace() + "}:1:";
        return access.texts()
                .thenCompose(commands -> access.subscriptions()
                        .thenCompose(messages -> new LinkSession(commands, messages, prefix, self).prepare(heard, lost))
                        .whenComplete((session, failure) -> {
                            if (failure != null) {
                                commands.closeAsync();
                            }
                        }));
    }

    private CompletionStage<LinkSession> prepare(Consumer<String> heard, Runnable lost) {
        messages.addListener(new RedisPubSubAdapter<>() {
            @Override
            public void message(String channel, String message) {
                heard.accept(message);
            }
        });
        tellWhenLost(commands, lost);
        tellWhenLost(messages, lost);
        RedisAsyncCommands<String, String> async = commands.async();
        CompletableFuture<?>[] prepared = new CompletableFuture<?>[LinkScript.values().length + 1];
        for (LinkScript script : LinkScript.values()) {
            prepared[script.ordinal()] = async.scriptLoad(script.text()).toCompletableFuture();
        }
        prepared[LinkScript.values().length] =
                messages.async().subscribe(channel(), prefix + self).toCompletableFuture();
        return CompletableFuture.allOf(prepared).handle((done, failure) -> {
            if (failure != null) {
                close();
                throw new CompletionException(failure);
            }
            return this;
        });
    }

    private static void tellWhenLost(StatefulConnection<?, ?> connection, Runnable lost) {
        connection.addListener(new RedisConnectionStateListener() {
            @Override
            public void onRedisDisconnected(RedisChannelHandler<?, ?> handler) {
                lost.run();
            }
        });
    }

    /** The channel of all. */
    String channel() {
        return prefix + "all";
    }

    /** Runs a script, after those that were given before. */
    CompletionStage<List<Object>> run(LinkScript script, List<String> arguments) {
        return commands.async()
                .<List<Object>>evalsha(
                        digests.get(script), ScriptOutputType.MULTI, keys, arguments.toArray(new String[0]));
    }

    /** Tells one instance something, after the scripts that were given before. */
    CompletionStage<Long> tell(String instance, String message) {
        return commands.async().publish(prefix + instance, message);
    }

    void close() {
        if (commands.isOpen()) {
            commands.closeAsync();
        }
        if (messages.isOpen()) {
            messages.closeAsync();
        }
    }
}
