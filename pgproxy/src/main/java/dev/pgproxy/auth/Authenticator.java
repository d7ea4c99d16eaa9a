package dev.pgproxy.auth;

import dev.pgproxy.config.AuthType;
import dev.pgproxy.protocol.auth.ScramSecret;
import java.net.InetAddress;
import java.security.SecureRandom;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Decides how a client has to prove who it is, and knows what to check it by. Thread-safe; made anew by a reload. What
 * takes milliseconds runs on an executor of its own, never on an event loop.
 */
public final class Authenticator {
    /** Looks up the secrets of users that no file names. */
    public interface LookUp {
        /** The secret, or null if there is no such user; fails with an {@link LookUpFailure}. */
        CompletionStage<@Nullable UserSecret> find(String database, String user);

        /** The answer did not fit the password that came: it may be out of date. */
        void doubt(String database, String user);
    }

    /** A look-up could not be made; the message is for the operator and no one else. */
    public static final class LookUpFailure extends Exception {
        private static final long serialVersionUID = 1L;

        /** With the cause and what to do. */
        public LookUpFailure(String message) {
            super(message, null, false, false);
        }
    }

    /** Salts of users that are not there, and of users with a plain password, are made from it. */
    private static final byte[] PROCESS_SECRET = new byte[32];

    static {
        new SecureRandom().nextBytes(PROCESS_SECRET);
    }

    private static final int ITERATIONS = ScramSecret.DEFAULT_ITERATIONS;

    private final AuthType type;
    private final Users users;
    private final @Nullable HbaRules hba;
    private final IdentMaps maps;
    private final @Nullable LookUp lookUp;
    private final Executor slow;
    private final Map<String, Derived> derived = new ConcurrentHashMap<>();

    private record Derived(UserSecret.PlainPassword from, ScramSecret secret) {}

    /** Rules and users as the configuration has them. */
    public Authenticator(
            AuthType type,
            Users users,
            @Nullable HbaRules hba,
            IdentMaps maps,
            @Nullable LookUp lookUp,
            Executor slow) {
        this.type = type;
        this.users = users;
        this.hba = hba;
        this.maps = maps;
        this.lookUp = lookUp;
        this.slow = slow;
    }

    /** What is asked of a client from there; null if no rule lets it in. A null address is a unix socket. */
    public @Nullable HbaRule rule(
            @Nullable InetAddress address, boolean tls, String database, String user, boolean physicalReplication) {
        AuthMethod method = switch (type) {
            case TRUST -> AuthMethod.TRUST;
            case PLAIN -> AuthMethod.PASSWORD;
            case MD5 -> AuthMethod.MD5;
            case SCRAM_SHA_256 -> AuthMethod.SCRAM;
            case CERT -> AuthMethod.CERT;
            case HBA -> null;
        };
        if (method != null) {
            return new HbaRule(0, method, ClientCertificate.NONE);
        }
        return hba == null ? null : hba.match(address, tls, database, user, physicalReplication);
    }

    /** Whether a rule lets somebody of that name, as the system or a certificate has it, be the user. */
    public boolean isUser(String name, @Nullable String map, String user) {
        return map == null ? name.equals(user) : maps.allows(map, name, user);
    }

    /** The secret of a user from the files; null if they do not name him. */
    public @Nullable UserSecret find(String user) {
        return users.find(user);
    }

    /** The secret of a user, looked up in the database where the files do not name him. */
    public CompletionStage<@Nullable UserSecret> find(String database, String user) {
        UserSecret known = users.find(user);
        if (known != null || lookUp == null) {
            return CompletableFuture.completedFuture(known);
        }
        return lookUp.find(database, user);
    }

    /** A login failed: what was looked up is not believed much longer. */
    public void loginFailed(String database, String user) {
        if (lookUp != null && users.find(user) == null) {
            lookUp.doubt(database, user);
        }
    }

    /**
     * The verifier for a SCRAM exchange. For a plain password it is derived once, with a salt that is the user's for as
     * long as the process lives; for a user that is not there it is one that nothing fits, so that nobody learns who is.
     */
    public CompletionStage<ScramSecret> verifier(String user, @Nullable UserSecret secret) {
        if (secret instanceof UserSecret.ScramVerifier scram) {
            return CompletableFuture.completedFuture(scram.secret());
        }
        if (!(secret instanceof UserSecret.PlainPassword plain)) {
            return CompletableFuture.completedFuture(mock(user));
        }
        Derived known = derived.get(user);
        if (known != null && known.from().equals(plain)) {
            return CompletableFuture.completedFuture(known.secret());
        }
        return CompletableFuture.supplyAsync(
                () -> {
                    ScramSecret made =
                            ScramSecret.derive(plain.bytes(), ScramSecret.stableSalt(user, PROCESS_SECRET), ITERATIONS);
                    derived.put(user, new Derived(plain, made));
                    return made;
                },
                slow);
    }

    /** A verifier that nothing fits. */
    public static ScramSecret mock(String user) {
        return ScramSecret.mock(user, PROCESS_SECRET, ITERATIONS);
    }

    /** Checks a password in clear text. */
    public CompletionStage<Boolean> accepts(String user, @Nullable UserSecret secret, byte[] password) {
        if (secret == null) {
            return CompletableFuture.completedFuture(false);
        }
        return offLoop(() -> secret.accepts(user, password));
    }

    /** Does what takes long, or reads a file, where it keeps nobody waiting. */
    public <T> CompletionStage<T> offLoop(Supplier<T> work) {
        return CompletableFuture.supplyAsync(work, slow);
    }
}
