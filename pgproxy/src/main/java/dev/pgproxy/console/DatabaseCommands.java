package dev.pgproxy.console;

import dev.pgproxy.client.ClientConnection;
import dev.pgproxy.client.Clients;
import dev.pgproxy.client.ConsoleAnswer;
import dev.pgproxy.config.DatabaseSettings;
import dev.pgproxy.console.ConsoleCommand.OnDatabase;
import dev.pgproxy.console.ConsoleCommand.Verb;
import dev.pgproxy.pool.Gates;
import dev.pgproxy.pool.Pool;
import dev.pgproxy.pool.Pools;
import dev.pgproxy.protocol.backend.SqlState;
import io.netty.channel.EventLoop;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** PAUSE, RESUME, DISABLE, ENABLE, RECONNECT, KILL and WAIT_CLOSE. Thread-safe. */
record DatabaseCommands(ProgramControl program, Pools pools, Clients clients, EventLoop loop) {
    private static final Set<String> CONSOLE = Set.of("pgproxy", "pgbouncer");

    CompletionStage<ConsoleAnswer> execute(OnDatabase command) {
        Verb verb = command.verb();
        String database = command.database();
        ConsoleAnswer refusal = refusal(verb, database);
        if (refusal != null) {
            return now(refusal);
        }
        return switch (verb) {
            case PAUSE -> pause(database);
            case RESUME -> now(resume(database));
            case DISABLE, ENABLE -> now(gate(verb, database == null ? "" : database));
            case RECONNECT -> {
                pools.of(database).forEach(Pool::reconnect);
                yield now(done(verb));
            }
            case KILL -> now(kill(database));
            case WAIT_CLOSE ->
                Until.so(() -> pools.of(database).stream().noneMatch(Pool::hasOutdated), () -> false, loop)
                        .thenApply(closed -> done(verb));
        };
    }

    private @Nullable ConsoleAnswer refusal(Verb verb, @Nullable String database) {
        if (database == null) {
            return verb.needsDatabase() ? Failures.of("a database is required") : null;
        }
        DatabaseSettings settings = program.config().database(database);
        if (CONSOLE.contains(database) && !program.config().databases().containsKey(database)) {
            return Failures.of("cannot " + verb.name().toLowerCase(java.util.Locale.ROOT) + " admin db: " + database);
        }
        return settings == null ? Failures.of("no such database: " + database) : null;
    }

    private CompletionStage<ConsoleAnswer> pause(@Nullable String database) {
        Gates gates = pools.gates();
        if (database == null && gates.isPaused()) {
            return now(Failures.of("already suspended/paused"));
        }
        pools.pause(database);
        return Until.so(
                        () -> pools.of(database).stream().allMatch(Pool::hasNoServers),
                        () -> database == null ? !gates.isPaused() : !gates.isPaused(database),
                        loop)
                .thenApply(paused -> paused
                        ? done(Verb.PAUSE)
                        : Failures.of(
                                SqlState.QUERY_CANCELED,
                                "PAUSE was ended by RESUME",
                                "Some servers were still in use: see SHOW SERVERS."));
    }

    private ConsoleAnswer resume(@Nullable String database) {
        Gates gates = pools.gates();
        if (database == null && !gates.isPaused()) {
            return Failures.of("pooler is not paused/suspended");
        }
        if (database != null && !gates.isPaused(database)) {
            return Failures.of("database " + database + " is not paused");
        }
        if (database != null && gates.isPaused()) {
            return Failures.of(
                    SqlState.OBJECT_NOT_IN_PREREQUISITE_STATE,
                    "all databases are paused",
                    "RESUME without a name ends that.");
        }
        pools.resume(database);
        return done(Verb.RESUME);
    }

    private ConsoleAnswer gate(Verb verb, String database) {
        if (verb == Verb.DISABLE) {
            pools.gates().disable(database);
        } else {
            pools.gates().enable(database);
        }
        return done(verb);
    }

    /** As PgBouncer: new clients wait until RESUME. */
    private ConsoleAnswer kill(@Nullable String database) {
        pools.pause(database);
        for (ClientConnection client : clients.all()) {
            if (client.database().equals(database)) {
                client.kill(AdminConsole.KILLED);
            }
        }
        pools.of(database).forEach(Pool::kill);
        return done(Verb.KILL);
    }

    private static ConsoleAnswer done(Verb verb) {
        return new ConsoleAnswer.Done(verb.name());
    }

    private static CompletionStage<ConsoleAnswer> now(ConsoleAnswer answer) {
        return CompletableFuture.completedFuture(answer);
    }
}
