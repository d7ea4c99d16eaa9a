package dev.pgproxy.client;

import dev.pgproxy.auth.Authenticator;
import dev.pgproxy.auth.UserSecret;
import dev.pgproxy.auth.Users;
import dev.pgproxy.config.AuthSettings;
import dev.pgproxy.config.DatabaseSettings;
import dev.pgproxy.config.ProxyConfig;
import dev.pgproxy.net.Transport;
import dev.pgproxy.pool.Pool;
import dev.pgproxy.pool.PoolKey;
import dev.pgproxy.pool.Pools;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Looks users up by {@code auth_query}, over a pool of {@code auth_user}, and remembers the answers, those for users that
 * do not exist included: for {@code auth_cache_ttl}, at most {@code auth_cache_size} of them, the least recently used go
 * first. Clients that ask for the same user at the same time share one look-up. After a failed login an answer is asked
 * again, but not while it is younger than a second: wrong passwords must not become a load on the database. Thread-safe;
 * made anew by a reload.
 */
public final class AuthQuery implements Authenticator.LookUp {
    private static final long BELIEVED_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final ProxyConfig config;
    private final Users users;
    private final Pools pools;
    private final Transport transport;
    private final Map<Question, Answer> answers = new LinkedHashMap<>(16, 0.75f, true);

    /** What is asked where. */
    record Question(PoolKey where, String query, String user) {}

    /** The answer, once it is there. */
    private static final class Answer {
        final CompletableFuture<@Nullable UserSecret> secret = new CompletableFuture<>();
        volatile long since = System.nanoTime();

        boolean isYounger(long nanos) {
            return !secret.isDone() || System.nanoTime() - since < nanos;
        }
    }

    /** {@code users} are those of the files, {@code auth_user} among them. */
    public AuthQuery(ProxyConfig config, Users users, Pools pools, Transport transport) {
        this.config = config;
        this.users = users;
        this.pools = pools;
        this.transport = transport;
    }

    @Override
    public CompletionStage<@Nullable UserSecret> find(String database, String user) {
        Question question = question(database, user);
        if (question == null) {
            return CompletableFuture.completedFuture(null);
        }
        Answer answer;
        synchronized (answers) {
            Answer known = answers.get(question);
            if (known != null && known.isYounger(config.auth().authCacheTtl().toNanos())) {
                return known.secret;
            }
            answer = new Answer();
            answers.put(question, answer);
            if (answers.size() > config.auth().authCacheSize()) {
                answers.remove(answers.keySet().iterator().next());
            }
        }
        answer.secret.whenComplete((secret, failure) -> {
            answer.since = System.nanoTime();
            if (failure != null) {
                forget(question, answer);
            }
        });
        ask(question, answer.secret);
        return answer.secret;
    }

    @Override
    public void doubt(String database, String user) {
        Question question = question(database, user);
        if (question != null) {
            synchronized (answers) {
                Answer known = answers.get(question);
                if (known != null && !known.isYounger(BELIEVED_NANOS)) {
                    answers.remove(question);
                }
            }
        }
    }

    private void forget(Question question, Answer answer) {
        synchronized (answers) {
            answers.remove(question, answer);
        }
    }

    /** Null if nobody is to be asked. */
    private @Nullable Question question(String database, String user) {
        AuthSettings general = config.auth();
        DatabaseSettings settings = config.database(database);
        String authUser = first(settings == null ? null : settings.authUser(), general.authUser());
        if (authUser == null) {
            return null;
        }
        String query = first(settings == null ? null : settings.authQuery(), general.authQuery());
        String where = first(settings == null ? null : settings.authDbname(), general.authDbname());
        String place = where == null ? database : where;
        if (query == null || Login.isConsole(config, place)) {
            return null;
        }
        DatabaseSettings target = config.database(place);
        boolean oneForAll = target != null && target.user() != null;
        return new Question(new PoolKey(place, authUser, oneForAll), query, user);
    }

    private static @Nullable String first(@Nullable String own, @Nullable String general) {
        return own == null ? general : own;
    }

    private void ask(Question question, CompletableFuture<@Nullable UserSecret> answer) {
        if (config.database(question.where().database()) == null) {
            answer.completeExceptionally(new Authenticator.LookUpFailure("database \""
                    + question.where().database()
                    + "\" is not configured, and no auth_dbname says where else users are looked up"));
            return;
        }
        Pool pool = pools.enter(question.where());
        answer.whenComplete((secret, failure) -> pool.leave());
        Login.remember(pool.credentials(), users.find(question.where().user()), null);
        // always the same loop: the server that answers stays at home
        new UserLookUp(
                        question,
                        pool,
                        transport.loops().getFirst(),
                        config.timeouts().clientLoginTimeout(),
                        answer)
                .begin();
    }
}
