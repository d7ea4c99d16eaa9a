package dev.pgproxy.client;

import dev.pgproxy.cancel.CancelKeys;
import dev.pgproxy.protocol.backend.BackendWriter;
import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.backend.SqlState;
import dev.pgproxy.protocol.frame.BackendType;
import dev.pgproxy.protocol.frame.CString;
import dev.pgproxy.protocol.frame.FrameReader;
import dev.pgproxy.protocol.frame.FrameSink;
import dev.pgproxy.protocol.frame.FrontendType;
import dev.pgproxy.protocol.frame.ProtocolViolation;
import dev.pgproxy.protocol.frame.TransactionStatus;
import io.netty.buffer.ByteBuf;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A client of the admin console, over the simple and the extended protocol. Confined to the client's
 * loop; commands that take time are answered later, and reading stops until then.
 */
final class ConsolePhase implements ClientPhase, FrameSink {
    private static final int MAX_MESSAGE = 64 * 1024;

    private final ClientConnection client;
    private final ClientServices services;
    private final boolean admin;
    private final FrameReader reader;
    private final Map<String, String> statements = new HashMap<>();
    private final Map<String, Portal> portals = new HashMap<>();
    private final Map<String, List<ConsoleAnswer>> results = new HashMap<>();
    private CancelKeys.@Nullable Key key;

    /** A command that is bound, with the formats asked for. */
    private record Portal(String text, short[] formats) {}

    private boolean skipping;
    private boolean closed;

    ConsolePhase(ClientConnection client, ClientServices services, boolean admin) {
        this.client = client;
        this.services = services;
        this.admin = admin;
        this.reader = new FrameReader(this, client.channel().alloc());
    }

    void begin(boolean longKey) {
        key = services.cancelKeys().issue(longKey, Runnable::run);
        ByteBuf out = client.channel().alloc().buffer();
        BackendWriter.parameterStatus(out, "server_version", "18.0/pgproxy");
        BackendWriter.parameterStatus(out, "client_encoding", "UTF8");
        BackendWriter.parameterStatus(out, "server_encoding", "UTF8");
        BackendWriter.parameterStatus(out, "DateStyle", "ISO");
        BackendWriter.parameterStatus(out, "TimeZone", "UTC");
        BackendWriter.parameterStatus(out, "standard_conforming_strings", "on");
        BackendWriter.parameterStatus(out, "is_superuser", "on");
        BackendWriter.parameterStatus(out, "integer_datetimes", "on");
        BackendWriter.backendKeyData(out, key.processId(), key.secret());
        BackendWriter.readyForQuery(out, TransactionStatus.IDLE);
        client.channel().writeAndFlush(out);
    }

    @Override
    public void frame(byte type, ByteBuf buf, int index, int length) {
        int body = index + FrameReader.HEADER;
        int end = index + length;
        if (skipping && type != FrontendType.SYNC && type != FrontendType.TERMINATE) {
            return;
        }
        switch (type) {
            case FrontendType.QUERY ->
                run(CString.read(buf, body, end), answers -> {
                    ByteBuf out = client.channel().alloc().buffer();
                    for (ConsoleAnswer answer : answers) {
                        ConsoleWriter.simple(out, answer);
                    }
                    BackendWriter.readyForQuery(out, TransactionStatus.IDLE);
                    return out;
                });
            case FrontendType.PARSE -> {
                int text = CString.end(buf, body, end) + 1;
                statements.put(CString.read(buf, body, end), CString.read(buf, text, end));
                reply(BackendType.PARSE_COMPLETE);
            }
            case FrontendType.BIND -> {
                int statement = CString.end(buf, body, end) + 1;
                String name = CString.read(buf, statement, end);
                String text = statements.get(name);
                if (text == null) {
                    fail("prepared statement \"" + name + "\" does not exist");
                } else {
                    short[] formats = resultFormats(buf, CString.end(buf, statement, end) + 1, end);
                    portals.put(CString.read(buf, body, end), new Portal(text, formats));
                    reply(BackendType.BIND_COMPLETE);
                }
            }
            case FrontendType.DESCRIBE -> describe(buf.getByte(body), CString.read(buf, body + 1, end));
            case FrontendType.EXECUTE -> execute(CString.read(buf, body, end));
            case FrontendType.CLOSE -> {
                Map<String, ?> named = buf.getByte(body) == 'S' ? statements : portals;
                named.remove(CString.read(buf, body + 1, end));
                reply(BackendType.CLOSE_COMPLETE);
            }
            case FrontendType.SYNC -> {
                skipping = false;
                portals.clear();
                results.clear();
                ByteBuf out = client.channel().alloc().buffer(6);
                BackendWriter.readyForQuery(out, TransactionStatus.IDLE);
                client.channel().write(out);
            }
            case FrontendType.FLUSH, FrontendType.COPY_DATA, FrontendType.COPY_DONE, FrontendType.COPY_FAIL -> {}
            case FrontendType.TERMINATE -> client.close("client said goodbye");
            default -> throw new ProtocolViolation("invalid frontend message type " + (type & 0xff));
        }
    }

    /** The result formats of a Bind, which stand behind its parameters. */
    private static short[] resultFormats(ByteBuf buf, int index, int end) {
        try {
            int at = index + 2 + 2 * buf.getShort(index);
            int parameters = buf.getShort(at);
            at += 2;
            for (int i = 0; i < parameters; i++) {
                at += 4 + Math.max(0, buf.getInt(at));
            }
            short[] formats = new short[Math.max(0, buf.getShort(at))];
            if (at + 2 + 2 * formats.length > end) {
                throw new ProtocolViolation("invalid Bind message");
            }
            for (int i = 0; i < formats.length; i++) {
                formats[i] = buf.getShort(at + 2 + 2 * i);
            }
            return formats;
        } catch (IndexOutOfBoundsException e) {
            throw new ProtocolViolation("invalid Bind message");
        }
    }

    /** What a SHOW will answer is only known by asking: the answer is kept for Execute. */
    private void describe(byte kind, String name) {
        Portal portal = portals.get(name);
        String text = kind == 'S' ? statements.get(name) : portal == null ? null : portal.text();
        short[] formats = kind == 'S' || portal == null ? ConsoleWriter.TEXT : portal.formats();
        if (text == null) {
            fail((kind == 'S' ? "prepared statement \"" : "portal \"") + name + "\" does not exist");
            return;
        }
        if (!ConsoleWriter.isRepeatable(text)) {
            ByteBuf out = client.channel().alloc().buffer();
            if (kind == 'S') {
                BackendWriter.noParameters(out);
            }
            BackendWriter.empty(out, BackendType.NO_DATA);
            client.channel().write(out);
            return;
        }
        run(text, answers -> {
            ByteBuf out = client.channel().alloc().buffer();
            if (kind == 'S') {
                BackendWriter.noParameters(out);
            } else {
                results.put(name, answers);
            }
            ConsoleWriter.description(out, answers, formats);
            return out;
        });
    }

    private void execute(String name) {
        Portal portal = portals.get(name);
        if (portal == null) {
            fail("portal \"" + name + "\" does not exist");
            return;
        }
        List<ConsoleAnswer> known = results.remove(name);
        if (known != null) {
            client.channel().write(executed(known, portal));
        } else {
            run(portal.text(), answers -> executed(answers, portal));
        }
    }

    private ByteBuf executed(List<ConsoleAnswer> answers, Portal portal) {
        ByteBuf out = client.channel().alloc().buffer();
        for (ConsoleAnswer answer : answers) {
            ConsoleWriter.extended(out, answer, portal.formats());
            skipping |= answer instanceof ConsoleAnswer.Failed;
        }
        return out;
    }

    /** Makes bytes of answers. */
    private interface Rendering {
        ByteBuf of(List<ConsoleAnswer> answers);
    }

    private void run(String text, Rendering rendering) {
        reader.pause();
        services.console()
                .execute(text, admin)
                .whenComplete((answers, failure) -> client.channel().eventLoop().execute(() -> {
                    if (closed) {
                        return;
                    }
                    List<ConsoleAnswer> said = failure == null
                            ? answers
                            : List.of(new ConsoleAnswer.Failed(
                                    ErrorFields.error(SqlState.INTERNAL_ERROR, String.valueOf(failure.getMessage()))));
                    client.channel().write(rendering.of(said));
                    try {
                        reader.resume();
                    } catch (ProtocolViolation e) {
                        client.violated(e);
                    }
                    client.channel().flush();
                }));
    }

    private void reply(byte type) {
        ByteBuf out = client.channel().alloc().buffer(5);
        BackendWriter.empty(out, type);
        client.channel().write(out);
    }

    private void fail(String message) {
        skipping = true;
        ByteBuf out = client.channel().alloc().buffer();
        ErrorFields.error(SqlState.UNDEFINED_STATEMENT, message).write(out);
        client.channel().write(out);
    }

    @Override
    public void read(ByteBuf in) {
        reader.read(in);
    }

    @Override
    public boolean streams(byte type, int length) {
        if (length > MAX_MESSAGE) {
            throw new ProtocolViolation("invalid message length " + length);
        }
        return false;
    }

    @Override
    public void readComplete() {
        client.channel().flush();
    }

    @Override
    public void writabilityChanged() {}

    @Override
    public void close() {
        closed = true;
        reader.close();
        if (key != null) {
            services.cancelKeys().revoke(key);
        }
    }

    @Override
    public void tick(long now) {}

    @Override
    public boolean isAtBoundary() {
        return true;
    }
}
