package dev.pgproxy.client;

import dev.pgproxy.auth.Authenticator;
import dev.pgproxy.auth.UserSecret;
import dev.pgproxy.pool.LeaseListener;
import dev.pgproxy.pool.Pool;
import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.backend.SqlState;
import dev.pgproxy.protocol.frame.TransactionStatus;
import dev.pgproxy.query.SettingsAlignment;
import dev.pgproxy.server.OwnReply;
import dev.pgproxy.server.ServerConnection;
import dev.pgproxy.server.ServerState;
import dev.pgproxy.session.Settings;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.ScheduledFuture;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Asks one server once for the secret of one user. Fails with the exact cause and what to do, for the operator. Confined
 * to its loop; used once.
 */
final class UserLookUp implements LeaseListener, OwnReply {
    private final AuthQuery.Question question;
    private final Pool pool;
    private final EventLoop loop;
    private final Duration limit;
    private final CompletableFuture<@Nullable UserSecret> answer;
    private final List<List<@Nullable String>> rows = new ArrayList<>(1);
    private @Nullable ServerConnection leased;
    private @Nullable ScheduledFuture<?> deadline;
    private boolean late;

    /** {@code limit} on waiting and asking together; zero = none. */
    UserLookUp(
            AuthQuery.Question question,
            Pool pool,
            EventLoop loop,
            Duration limit,
            CompletableFuture<@Nullable UserSecret> answer) {
        this.question = question;
        this.pool = pool;
        this.loop = loop;
        this.limit = limit;
        this.answer = answer;
    }

    void begin() {
        loop.execute(() -> {
            if (!limit.isZero()) {
                deadline = loop.schedule(this::expire, limit.toMillis(), TimeUnit.MILLISECONDS);
            }
            ServerConnection server = pool.acquire(this);
            if (server != null) {
                granted(server);
            }
        });
    }

    private void expire() {
        late = true;
        if (leased != null) {
            leased.close("auth_query took too long"); // ends in done
        } else if (pool.cancelWait(this)) {
            fail("no server became free within client_login_timeout");
        }
    }

    @Override
    public EventLoop loop() {
        return loop;
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
    public void granted(ServerConnection server) {
        leased = server;
        List<String> sql = SettingsAlignment.between(server.settings().get(), Settings.NONE);
        if (sql.isEmpty()) {
            server.ask(question.query(), question.user(), this);
            return;
        }
        server.ask(String.join(";", sql), new OwnReply() {
            @Override
            public void done(@Nullable ErrorFields error, byte status) {
                if (error == null) {
                    server.settings().reset(Settings.NONE);
                    server.ask(question.query(), question.user(), UserLookUp.this);
                } else {
                    UserLookUp.this.done(error, status);
                }
            }
        });
    }

    @Override
    public void refused(ErrorFields error) {
        fail(words(error));
    }

    @Override
    public void row(List<@Nullable String> values) {
        rows.add(values);
    }

    @Override
    public void done(@Nullable ErrorFields error, byte status) {
        giveBack(status);
        if (late) {
            fail("no answer within client_login_timeout");
        } else if (error != null) {
            fail(words(error));
        } else if (rows.size() > 1) {
            fail("it answers " + rows.size() + " rows; it must give one or none");
        } else if (rows.isEmpty()) {
            succeed(null);
        } else if (rows.getFirst().size() < 2) {
            fail("it answers one column; it must give two, name and secret");
        } else {
            List<@Nullable String> row = rows.getFirst();
            String stored = row.get(1);
            boolean barred = row.size() > 2 && "f".equals(row.get(2));
            try {
                UserSecret secret = UserSecret.parse(stored == null ? "" : stored);
                succeed(barred ? new UserSecret.Barred(secret) : secret);
            } catch (IllegalArgumentException e) {
                fail("the secret of user \"" + question.user() + "\" is unusable: " + e.getMessage());
            }
        }
    }

    private void giveBack(byte status) {
        ServerConnection server = leased;
        leased = null;
        if (server == null) {
            return;
        }
        server.detach(ServerState.TESTED);
        if (status != TransactionStatus.IDLE) {
            server.close("auth_query left a transaction open");
        }
        pool.release(server);
    }

    private static String words(ErrorFields error) {
        String text = error.code() + " " + error.message() + advice(error);
        return error.hint() == null ? text : text + " " + error.hint();
    }

    private static String advice(ErrorFields error) {
        if (error.code().equals(SqlState.INSUFFICIENT_PRIVILEGE.code())) {
            return ": auth_user must be allowed to run auth_query, for example by a SECURITY DEFINER function.";
        }
        if (error.code().startsWith("28")) {
            return ": auth_user must be able to log in; give its password in users or auth_file.";
        }
        if (error.code().equals(SqlState.INVALID_CATALOG_NAME.code())) {
            return ": set auth_dbname to a database that is always there.";
        }
        return ".";
    }

    private void succeed(@Nullable UserSecret secret) {
        end();
        answer.complete(secret);
    }

    private void fail(String cause) {
        end();
        answer.completeExceptionally(new Authenticator.LookUpFailure(
                "auth_query as \"" + question.where().user() + "\" in database \""
                        + question.where().database() + "\": " + cause));
    }

    private void end() {
        if (deadline != null) {
            deadline.cancel(false);
        }
    }
}
