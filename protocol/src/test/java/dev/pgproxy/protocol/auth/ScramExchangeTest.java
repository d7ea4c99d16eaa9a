package dev.pgproxy.protocol.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Both sides against each other, and against the example of RFC 7677 section 3. */
class ScramExchangeTest {
    private static final byte[] PENCIL = ascii("pencil");
    private static final byte[] SALT = Base64.getDecoder().decode("W22ZaJ0SNY7soEsUEjb6gQ==");
    private static final ScramKeys KEYS = ScramKeys.derive(PENCIL, SALT, 4096);
    private static final ChannelBinding BINDING = Fixtures.binding("rsa-sha256.pem");
    private static final ChannelBinding OTHER_BINDING = Fixtures.binding("ecdsa-sha384.pem");

    private static final String CLIENT_FIRST = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
    private static final String SERVER_FIRST =
            "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
    private static final String CLIENT_FINAL = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
            + "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
    private static final String SERVER_FINAL = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

    @Test
    void theServerSpeaksTheExampleOfTheRfc() throws ScramFailure {
        ScramServer server = rfcServer();
        assertThat(server.first("SCRAM-SHA-256", ascii(CLIENT_FIRST))).isEqualTo(ascii(SERVER_FIRST));
        assertThat(server.last(ascii(CLIENT_FINAL))).isEqualTo(ascii(SERVER_FINAL));
        assertThat(server.keys().clientKey()).isEqualTo(KEYS.clientKey());
        assertThat(server.keys().secret()).isEqualTo(KEYS.secret());
    }

    @Test
    void theClientSpeaksTheExampleOfTheRfc() throws ScramFailure {
        ScramClient client = rfcClient();
        assertThat(client.mechanism()).isEqualTo("SCRAM-SHA-256");
        assertThat(client.first()).isEqualTo(ascii(CLIENT_FIRST));
        assertThat(client.last(ascii(SERVER_FIRST))).isEqualTo(ascii(CLIENT_FINAL));
        assertThat(client.proved()).isFalse();
        client.verify(ascii(SERVER_FINAL));
        assertThat(client.proved()).isTrue();
        assertThat(client.keys().secret()).isEqualTo(KEYS.secret());
    }

    @Test
    void everyPasswordWinsAndEveryOtherFails() throws ScramFailure {
        long seed = System.nanoTime();
        RandomPasswords passwords = new RandomPasswords(seed);
        for (int i = 0; i < 300; i++) {
            byte[] password = passwords.next();
            byte[] other = passwords.next();
            ScramSecret secret = ScramSecret.derive(password, passwords.salt(), 1 + passwords.below(20));
            ChannelBinding bound = passwords.below(2) == 0 ? BINDING : null;
            ScramServer server = ScramServer.verifying("ann", secret, bound);
            ScramClient client = ScramClient.withPassword(password, null, ScramServer.mechanisms(bound), bound);
            run(server, client);
            assertThat(server.keys().clientKey())
                    .as("seed %d, round %d", seed, i)
                    .isEqualTo(client.keys().clientKey());

            // the proved client key opens the next server with the same verifier
            run(
                    ScramServer.verifying("ann", secret, null),
                    ScramClient.withKeys(server.keys(), List.of("SCRAM-SHA-256"), null));

            if (!Arrays.equals(SaslPrep.prepare(password), SaslPrep.prepare(other))) {
                ScramFailure failure = failure(
                        ScramServer.verifying("ann", secret, null),
                        ScramClient.withPassword(other, null, List.of("SCRAM-SHA-256"), null));
                assertThat(failure.sqlState()).as("seed %d, round %d", seed, i).isEqualTo("28P01");
            }
        }
    }

    @Test
    void aTamperedMessageFailsWhicheverByteItIs() {
        long seed = System.nanoTime();
        RandomPasswords random = new RandomPasswords(seed);
        for (int message = 0; message < 4; message++) {
            for (int i = 0; i < 400; i++) {
                int which = message;
                int flip = 1 + random.below(255);
                int at = random.below(1000);
                ScramServer server = ScramServer.verifying("ann", KEYS.secret(), BINDING);
                assertThatThrownBy(() -> run(server, keyed(KEYS, BINDING), which, at, flip))
                        .as("seed %d, message %d, byte %d, flip %d", seed, which, at, flip)
                        .isInstanceOf(ScramFailure.class);
            }
        }
    }

    @Test
    void unknownUsersSeeAnExchangeLikeOthersAndNeverWin() throws ScramFailure {
        ScramSecret mock = ScramSecret.mock("nobody", new byte[] {1, 2, 3}, 4096);
        ScramServer server = ScramServer.mock("nobody", mock, null, "no such user");
        ScramClient client = ScramClient.withPassword(PENCIL, null, List.of("SCRAM-SHA-256"), null);
        ScramFailure failure = failure(server, client);
        assertThat(failure).hasMessage("password authentication failed for user \"nobody\"");
        assertThat(failure.sqlState()).isEqualTo("28P01");
        assertThat(failure.reason()).isEqualTo("no such user");
        // even a proof that fits: the exchange is doomed
        ScramFailure doomed = failure(
                ScramServer.mock("nobody", KEYS.secret(), null, "no such user"),
                ScramClient.withPassword(PENCIL, null, List.of("SCRAM-SHA-256"), null));
        assertThat(doomed.sqlState()).isEqualTo("28P01");
        assertThatThrownBy(server::keys).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void theWrongPasswordIsToldToTheOperatorOnly() {
        ScramFailure failure = failure(
                ScramServer.verifying("ann", KEYS.secret(), null),
                keyed(ScramKeys.derive(ascii("pen"), SALT, 4096), null));
        assertThat(failure).hasMessage("password authentication failed for user \"ann\"");
        assertThat(failure.reason()).isEqualTo("the password does not match the SCRAM verifier");
        assertThat(failure.getStackTrace()).isEmpty();
    }

    @Test
    void bindsTheChannelWhereBothCan() throws ScramFailure {
        ScramClient client = keyed(KEYS, BINDING);
        assertThat(client.mechanism()).isEqualTo("SCRAM-SHA-256-PLUS");
        run(ScramServer.verifying("ann", KEYS.secret(), BINDING), client);
        // a client without channel binding may come over TLS too
        run(ScramServer.verifying("ann", KEYS.secret(), BINDING), keyed(KEYS, null));
    }

    @Test
    void anotherCertificateInBetweenIsNoticed() {
        ScramFailure failure =
                failure(ScramServer.verifying("ann", KEYS.secret(), BINDING), keyed(KEYS, OTHER_BINDING));
        assertThat(failure).hasMessage("SCRAM channel binding check failed");
        assertThat(failure.sqlState()).isEqualTo("28000");
    }

    @Test
    void aRemovedOfferIsNoticed() throws ScramFailure {
        ScramClient downgraded = ScramClient.withKeys(KEYS, List.of("SCRAM-SHA-256"), BINDING);
        ScramFailure failure = failure(ScramServer.verifying("ann", KEYS.secret(), BINDING), downgraded);
        assertThat(failure).hasMessage("SCRAM channel binding negotiation error");
        assertThat(failure.sqlState()).isEqualTo("28000");
        // but a server that really cannot bind is believed
        run(
                ScramServer.verifying("ann", KEYS.secret(), null),
                ScramClient.withKeys(KEYS, List.of("SCRAM-SHA-256"), BINDING));
    }

    @Test
    void keysFitOnlyTheirOwnSaltAndCount() throws ScramFailure {
        ScramServer otherSalt = ScramServer.verifying("ann", ScramSecret.derive(PENCIL, new byte[] {1}, 4096), null);
        assertThat(failure(otherSalt, keyed(KEYS, null)).reason()).contains("another salt");
        ScramServer otherCount = ScramServer.verifying("ann", ScramSecret.derive(PENCIL, SALT, 5), null);
        ScramFailure failure = failure(otherCount, keyed(KEYS, null));
        assertThat(failure.reason()).contains("another iteration count");
        assertThat(failure.sqlState()).isEqualTo("28000");
        // with the password at hand, keys that no longer fit are derived anew
        ScramServer changed = ScramServer.verifying("ann", ScramSecret.derive(PENCIL, SALT, 5), null);
        ScramClient client = ScramClient.withPassword(PENCIL, KEYS, List.of("SCRAM-SHA-256"), null);
        run(changed, client);
        assertThat(client.keys().iterations()).isEqualTo(5);
        ScramClient again = ScramClient.withPassword(PENCIL, client.keys(), List.of("SCRAM-SHA-256"), null);
        run(ScramServer.verifying("ann", client.keys().secret(), null), again);
        assertThat(again.keys()).isSameAs(client.keys());
    }

    @Test
    void aServerThatDoesNotKnowThePasswordIsNotBelieved() throws ScramFailure {
        ScramKeys wrong = ScramKeys.derive(ascii("guess"), SALT, 4096);
        ScramSecret mixed = new ScramSecret(4096, SALT, KEYS.storedKey(), wrong.serverKey());
        ScramFailure failure = failure(ScramServer.verifying("ann", mixed, null), keyed(KEYS, null));
        assertThat(failure).hasMessage("incorrect server signature");
        assertThat(failure.sqlState()).isEqualTo("28000");
    }

    /** All four messages, in order. */
    private static void run(ScramServer server, ScramClient client) throws ScramFailure {
        run(server, client, -1, 0, 0);
    }

    /** The same, with one byte of one message changed on its way. */
    private static void run(ScramServer server, ScramClient client, int tampered, int at, int flip)
            throws ScramFailure {
        byte[] clientFirst = tamper(client.first(), tampered == 0, at, flip);
        byte[] serverFirst = tamper(server.first(client.mechanism(), clientFirst), tampered == 1, at, flip);
        byte[] clientFinal = tamper(client.last(serverFirst), tampered == 2, at, flip);
        byte[] serverFinal = tamper(server.last(clientFinal), tampered == 3, at, flip);
        client.verify(serverFinal);
    }

    private static byte[] tamper(byte[] message, boolean here, int at, int flip) {
        if (here) {
            message[at % message.length] ^= (byte) flip;
        }
        return message;
    }

    private static ScramFailure failure(ScramServer server, ScramClient client) {
        return Objects.requireNonNull(catchThrowableOfType(ScramFailure.class, () -> run(server, client)));
    }

    private static ScramClient keyed(ScramKeys keys, @Nullable ChannelBinding binding) {
        try {
            return ScramClient.withKeys(keys, ScramServer.mechanisms(binding), binding);
        } catch (ScramFailure e) {
            throw new AssertionError(e);
        }
    }

    private static ScramServer rfcServer() {
        return new ScramServer("user", KEYS.secret(), null, null, "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0");
    }

    private static ScramClient rfcClient() throws ScramFailure {
        return new ScramClient(PENCIL, null, List.of("SCRAM-SHA-256"), null, "user", "rOprNGfwEbeRWgbNEkqO");
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
