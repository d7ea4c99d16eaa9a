package dev.pgproxy.testing;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Predicate;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;

/**
 * A scripted PostgreSQL client that sends and shows single messages of protocol 3, over TCP, TLS or a unix socket. It
 * believes nothing and remembers only its BackendKeyData, so a test can say anything. Senders return the client; a message
 * is written at once, or with its neighbours inside {@link #batch}. A write to a connection that the peer has ended is
 * dropped: the next read shows {@link Message#CLOSED}. Reads fail after {@link #TIMEOUT_MILLIS}. Not thread-safe; one
 * thread may read while another writes.
 */
public final class RawClient implements AutoCloseable {
    public static final int TIMEOUT_MILLIS = 60_000;

    /** Sees each message sent (in words) and received. */
    public interface Listener {
        void sent(String words);

        void received(Message message);
    }

    private static final Listener NOBODY = new Listener() {
        @Override
        public void sent(String words) {}

        @Override
        public void received(Message message) {}
    };

    private Wire wire;
    private Listener listener = NOBODY;
    private @Nullable ByteArrayOutputStream batch;
    private byte[] input = new byte[8192];
    private int start;
    private int end;
    private boolean closed;
    private @Nullable Message keyData;

    private RawClient(Wire wire) {
        this.wire = wire;
    }

    public static RawClient connect(String host, int port) {
        try {
            return connect(Wire.address(host, port));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Connects to an InetSocketAddress or a UnixDomainSocketAddress. */
    public static RawClient connect(SocketAddress address) {
        try {
            return new RawClient(Wire.connect(address));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public RawClient listener(Listener to) {
        listener = to;
        return this;
    }

    // ---- before the startup message

    /** Sends SSLRequest: 'S' yes, 'N' no, 'E' an error from an old server, 0 closed. */
    public char sslRequest() {
        return ask("SSLRequest", Frontend.sslRequest());
    }

    /** Sends GSSENCRequest: 'G' yes, 'N' no, 'E' an error, 0 closed. */
    public char gssEncRequest() {
        return ask("GSSENCRequest", Frontend.gssEncRequest());
    }

    private char ask(String words, byte[] request) {
        send(words, request);
        if (start == end && !fill(TIMEOUT_MILLIS)) {
            return '\0';
        }
        return (char) input[start++];
    }

    /** Shakes hands; for direct TLS without SSLRequest the protocol {@code postgresql} must be offered. */
    public RawClient startTls(SSLContext context, String... applicationProtocols) {
        if (start != end) {
            throw new AssertionError("the peer sent " + (end - start) + " bytes before the handshake");
        }
        try {
            wire = wire.startTls(context, applicationProtocols);
            return this;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public @Nullable SSLSession tlsSession() {
        return wire.tlsSession();
    }

    public RawClient startup(int version, Map<String, String> parameters) {
        return send(
                "Startup " + (version >>> 16) + "." + (version & 0xffff) + " " + parameters.keySet(),
                Frontend.startup(version, parameters));
    }

    public RawClient cancelRequest(int processId, byte[] secretKey) {
        return send("CancelRequest", Frontend.cancelRequest(processId, secretKey));
    }

    /** Where and how to cancel this client: its BackendKeyData. */
    public Message keyData() {
        if (keyData == null) {
            throw new AssertionError("no BackendKeyData has come");
        }
        return keyData;
    }

    // ---- login

    /** Starts up with protocol 3.0 and logs in; everything received up to the first ReadyForQuery, error or end. */
    public List<Message> login(String user, String password, String database) {
        return login(Frontend.VERSION_3_0, password, parameters("user", user, "database", database));
    }

    public List<Message> login(int version, String password, Map<String, String> parameters) {
        startup(version, parameters);
        List<Message> all = new ArrayList<>(authenticate(parameters.getOrDefault("user", ""), password));
        if (!all.isEmpty() && all.getLast().type() == 'R') {
            all.addAll(readUntilReady());
        }
        return all;
    }

    /** Names and values in turn, kept in this order. */
    public static Map<String, String> parameters(String... namesAndValues) {
        Map<String, String> parameters = new LinkedHashMap<>();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            parameters.put(namesAndValues[i], namesAndValues[i + 1]);
        }
        return parameters;
    }

    /** Answers what the server asks, unheard by the listener, until AuthenticationOk, an error, or the end, which is the last of the list. */
    public List<Message> authenticate(String user, String password) {
        List<Message> received = new ArrayList<>();
        @Nullable PasswordProof proof = null;
        while (true) {
            Message message = readMessage();
            received.add(message);
            if (message.isClosed() || message.type() == 'E') {
                return received;
            }
            if (message.type() != 'R') {
                continue; // NegotiateProtocolVersion or a notice
            }
            byte[] body = Arrays.copyOfRange(message.body(), 4, message.body().length);
            switch (message.authenticationCode()) {
                case 0 -> {
                    return received;
                }
                case 3 -> write(Frontend.password(password));
                case 5 -> write(Frontend.password(PasswordProof.md5(user, password, body)));
                case 10 -> {
                    proof = proof(new String(body, UTF_8), password);
                    write(Frontend.saslInitialResponse(proof.mechanism(), proof.first()));
                }
                case 11 -> write(Frontend.saslResponse(expect(proof).last(new String(body, UTF_8))));
                case 12 -> expect(proof).verify(new String(body, UTF_8));
                default -> throw new AssertionError("unexpected " + message);
            }
        }
    }

    private PasswordProof proof(String mechanisms, String password) {
        @Nullable SSLSession session = wire.tlsSession();
        return session != null && mechanisms.contains(PasswordProof.SCRAM_PLUS)
                ? PasswordProof.scramPlus(password, session)
                : PasswordProof.scram(password);
    }

    private static PasswordProof expect(@Nullable PasswordProof proof) {
        if (proof == null) {
            throw new AssertionError("SASLContinue or SASLFinal without SASL");
        }
        return proof;
    }

    public RawClient password(String password) {
        return send("PasswordMessage", Frontend.password(password));
    }

    // ---- messages

    public RawClient query(String sql) {
        return send("Query " + shown(sql), Frontend.query(sql));
    }

    public RawClient parse(String statement, String sql, int... parameterTypes) {
        return send("Parse " + statement + " " + shown(sql), Frontend.parse(statement, sql, parameterTypes));
    }

    /** Binds text parameters and asks for text results; null is NULL. */
    public RawClient bind(String portal, String statement, @Nullable String... values) {
        List<byte @Nullable []> bytes = new ArrayList<>();
        for (@Nullable String value : values) {
            bytes.add(value == null ? null : value.getBytes(UTF_8));
        }
        return bind(portal, statement, new int[0], bytes, new int[0]);
    }

    /** Formats: none (all text), one for all, or one each; 0 is text, 1 binary. */
    public RawClient bind(
            String portal,
            String statement,
            int[] parameterFormats,
            List<byte @Nullable []> values,
            int[] resultFormats) {
        return send(
                "Bind " + portal + " " + statement + " of " + values.size(),
                Frontend.bind(portal, statement, parameterFormats, values, resultFormats));
    }

    public RawClient describeStatement(String name) {
        return send("Describe S " + name, Frontend.describeStatement(name));
    }

    public RawClient describePortal(String name) {
        return send("Describe P " + name, Frontend.describePortal(name));
    }

    public RawClient execute(String portal) {
        return execute(portal, 0);
    }

    /** At most this many rows; 0 is all. */
    public RawClient execute(String portal, int maxRows) {
        return send("Execute " + portal + " " + maxRows, Frontend.execute(portal, maxRows));
    }

    public RawClient closeStatement(String name) {
        return send("Close S " + name, Frontend.closeStatement(name));
    }

    public RawClient closePortal(String name) {
        return send("Close P " + name, Frontend.closePortal(name));
    }

    public RawClient sync() {
        return send("Sync", Frontend.sync());
    }

    /** The protocol's Flush message; nothing is ever held back here outside {@link #batch}. */
    public RawClient flush() {
        return send("Flush", Frontend.flush());
    }

    public RawClient copyData(String text) {
        return copyData(text.getBytes(UTF_8));
    }

    public RawClient copyData(byte[] bytes) {
        return send("CopyData of " + bytes.length, Frontend.copyData(bytes));
    }

    public RawClient copyDone() {
        return send("CopyDone", Frontend.copyDone());
    }

    public RawClient copyFail(String reason) {
        return send("CopyFail " + reason, Frontend.copyFail(reason));
    }

    public RawClient functionCall(
            int function, int[] argumentFormats, List<byte @Nullable []> arguments, int resultFormat) {
        return send(
                "FunctionCall " + function, Frontend.functionCall(function, argumentFormats, arguments, resultFormat));
    }

    public RawClient terminate() {
        return send("Terminate", Frontend.terminate());
    }

    /** Sends exactly these bytes. */
    public RawClient raw(byte... bytes) {
        return send("raw bytes " + bytes.length, bytes);
    }

    /** Sends bytes under a name that is shown in transcripts. */
    public RawClient send(String words, byte[] bytes) {
        listener.sent(words);
        if (batch != null) {
            batch.writeBytes(bytes);
        } else {
            write(bytes);
        }
        return this;
    }

    /** Everything that the messages send goes out in one write. */
    public RawClient batch(Consumer<RawClient> messages) {
        ByteArrayOutputStream collected = new ByteArrayOutputStream();
        batch = collected;
        try {
            messages.accept(this);
        } finally {
            batch = null;
        }
        write(collected.toByteArray());
        return this;
    }

    private void write(byte[] bytes) {
        try {
            wire.write(bytes);
        } catch (SocketException | SSLException | ClosedChannelException peerIsGone) {
            listener.sent("(not sent)");
        } catch (IOException e) {
            if (!"Broken pipe".equals(e.getMessage()) && !"Connection reset by peer".equals(e.getMessage())) {
                throw new UncheckedIOException(e);
            }
        }
    }

    // ---- answers

    /** The next message, or {@link Message#CLOSED}. */
    public Message readMessage() {
        @Nullable Message message = poll(TIMEOUT_MILLIS);
        if (message == null) {
            throw new AssertionError("no message in " + TIMEOUT_MILLIS + " ms");
        }
        return message;
    }

    /** The next message if it is complete before the time is over, else null. */
    public @Nullable Message poll(int millis) {
        long deadline = System.nanoTime() + millis * 1_000_000L;
        while (true) {
            @Nullable Message message = next();
            if (message != null) {
                keyData = message.type() == 'K' ? message : keyData;
                listener.received(message);
                return message;
            }
            int left = (int) Math.max(1, (deadline - System.nanoTime()) / 1_000_000L);
            if (!fill(left) && !closed) {
                return null;
            }
        }
    }

    public List<Message> readUntilReady() {
        return readUntilReady(1);
    }

    /** Everything up to and with the given number of ReadyForQuery, or up to the end of the connection. */
    public List<Message> readUntilReady(int times) {
        int[] left = {times};
        return readUntil(message -> message.isReady() && --left[0] == 0);
    }

    /** Everything up to and with the first message of a type, or up to the end of the connection. */
    public List<Message> readUntil(char type) {
        return readUntil(message -> message.type() == type);
    }

    public List<Message> readUntil(Predicate<Message> last) {
        List<Message> messages = new ArrayList<>();
        while (true) {
            Message message = readMessage();
            messages.add(message);
            if (message.isClosed() || last.test(message)) {
                return messages;
            }
        }
    }

    public List<Message> readUntilClosed() {
        return readUntil(Message::isClosed);
    }

    /** What arrives until nothing has arrived for so long. */
    public List<Message> readAvailable(int quietMillis) {
        List<Message> messages = new ArrayList<>();
        for (@Nullable Message next = poll(quietMillis); next != null; next = poll(quietMillis)) {
            messages.add(next);
            if (next.isClosed()) {
                break;
            }
        }
        return messages;
    }

    /** Closes without Terminate, as a client that dies; Terminate is {@link #terminate()}. */
    @Override
    public void close() {
        try {
            wire.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private @Nullable Message next() {
        if (end - start >= 5) {
            int length = ByteBuffer.wrap(input).getInt(start + 1);
            if (length < 4) {
                throw new AssertionError("the server sent type " + input[start] + " with length " + length);
            }
            int total = 1 + length;
            if (end - start >= total) {
                byte[] body = Arrays.copyOfRange(input, start + 5, start + total);
                Message message = new Message((char) (input[start] & 0xff), body);
                start += total;
                return message;
            }
            if (total > input.length - start) {
                makeRoom(total);
            }
        }
        if (closed && end > start) {
            Message rest = new Message('?', Arrays.copyOfRange(input, start, end));
            start = end;
            return rest;
        }
        return closed ? Message.CLOSED : null;
    }

    private void makeRoom(int needed) {
        byte[] to = needed > input.length ? new byte[Math.max(needed, 2 * input.length)] : input;
        System.arraycopy(input, start, to, 0, end - start);
        input = to;
        end -= start;
        start = 0;
    }

    /** Reads once; false if nothing came in time or ever will. */
    private boolean fill(int millis) {
        if (closed) {
            return false;
        }
        if (end == input.length) {
            makeRoom(end - start + 8192);
        }
        try {
            int count = wire.read(input, end, input.length - end, millis);
            closed = count < 0;
            end += Math.max(0, count);
            return count > 0;
        } catch (SocketTimeoutException nothing) {
            return false;
        } catch (SocketException | SSLException | ClosedChannelException reset) {
            closed = true;
            return false;
        } catch (IOException e) {
            if (!"Connection reset by peer".equals(e.getMessage())) {
                throw new UncheckedIOException(e);
            }
            closed = true;
            return false;
        }
    }

    private static String shown(String sql) {
        return sql.length() <= 200 ? sql : sql.substring(0, 200) + "... of " + sql.length();
    }
}
