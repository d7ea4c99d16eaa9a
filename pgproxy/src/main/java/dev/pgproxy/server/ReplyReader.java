package dev.pgproxy.server;

import dev.pgproxy.protocol.backend.CommandTag;
import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.backend.RowView;
import dev.pgproxy.protocol.backend.SqlState;
import dev.pgproxy.protocol.frame.BackendType;
import dev.pgproxy.protocol.frame.CString;
import dev.pgproxy.protocol.frame.FrameReader;
import dev.pgproxy.protocol.frame.FrameSink;
import dev.pgproxy.protocol.frame.ProtocolViolation;
import dev.pgproxy.protocol.frame.TransactionStatus;
import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.session.Reported;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import org.jspecify.annotations.Nullable;

/**
 * Pairs what a server says with what it was asked. Replies for the client are forwarded as ranges of the buffer that was
 * read; {@code runStart} is where the current range began. A reply that is ours cuts the range; an answer of ours is put
 * in between two ranges. Confined to the loop that owns the server connection.
 */
final class ReplyReader implements FrameSink {
    /** Types that are forwarded without a look while the client is answered. */
    private static final long PASSIVE = FrameReader.bit(BackendType.DATA_ROW) | FrameReader.bit(BackendType.COPY_DATA);

    /** An error or notice longer than this is cut off from memory, not from the client: it is streamed. */
    private static final int MAX_GATHERED = 1 << 20;

    private static final String IN_HOT_STANDBY = "in_hot_standby";

    private final FrameReader reader;
    private final ReplyQueue replies = new ReplyQueue();
    private Reported reported;
    private boolean asPrimary;
    private byte status = TransactionStatus.IDLE;
    private @Nullable ReplySink sink;
    private @Nullable ErrorFields lastError;
    private @Nullable ErrorFields ownError;
    private int statementIndex;

    /** Half an answer to Describe, which an error may still follow. */
    private @Nullable ByteBuf parameters;

    private @Nullable ByteBuf current;
    private int runStart;

    ReplyReader(Reported reported, ByteBufAllocator allocator) {
        this.reported = reported;
        this.reader = new FrameReader(this, allocator);
    }

    void passAsPrimary() {
        asPrimary = true;
        reported = reported.with(IN_HOT_STANDBY, "off");
    }

    ReplyQueue replies() {
        return replies;
    }

    Reported reported() {
        return reported;
    }

    byte status() {
        return status;
    }

    @Nullable
    ErrorFields lastError() {
        return lastError;
    }

    @Nullable
    ReplySink sink() {
        return sink;
    }

    /** Replies go to {@code to} from now on; null: to nobody but our own queries. */
    void sink(@Nullable ReplySink to) {
        sink = to;
        look();
    }

    /** Takes what the socket delivered, and its ownership. */
    void read(ByteBuf in) {
        reader.read(in);
    }

    /** Adds an expected reply. */
    void expect(int entry, @Nullable Object note) {
        if (!replies.add(entry, note)) {
            dropped(entry, note);
        } else if ((entry & ReplyQueue.ANSWER) != 0) {
            answers();
        }
        look();
    }

    /** The connection is gone: our own queries learn it. */
    void close() {
        reader.close();
        parametersDescribed(runStart, false);
        while (!replies.isEmpty()) {
            Object note = replies.note();
            boolean last = (replies.head() & ReplyQueue.KIND) <= ReplyQueue.FUNCTION;
            replies.remove();
            if (last && note instanceof OwnReply own) {
                own.done(
                        ErrorFields.error(SqlState.CONNECTION_FAILURE, "server closed the connection unexpectedly"),
                        TransactionStatus.IDLE);
            }
        }
    }

    @Override
    public void begin(ByteBuf buf, int index) {
        current = buf;
        runStart = index;
    }

    @Override
    public void end(ByteBuf buf, int index) {
        forwardTo(index);
        current = null;
    }

    @Override
    public boolean streams(byte type, int length) {
        boolean ours = (replies.head() & ReplyQueue.SWALLOW) != 0 || sink == null;
        if (ours && length > MAX_GATHERED) {
            throw new ProtocolViolation("reply of " + length + " bytes to a query of our own");
        }
        return switch (type) {
            case BackendType.FUNCTION_CALL_RESPONSE -> !ours;
            case BackendType.NOTICE_RESPONSE, BackendType.ERROR_RESPONSE -> !ours && length > MAX_GATHERED;
            default -> {
                if (length > MAX_GATHERED) {
                    throw new ProtocolViolation("message '" + (char) type + "' of " + length + " bytes");
                }
                yield false;
            }
        };
    }

    @Override
    public void head(byte type, ByteBuf buf, int index, int length) {
        if (type == BackendType.ERROR_RESPONSE) {
            if (sink != null) {
                sink.failed(ErrorFields.readBeginning(buf, index), null); // too long to be replaced
            }
            skipToSync();
        }
    }

    @Override
    public void frame(byte type, ByteBuf buf, int index, int length) {
        switch (type) {
            case BackendType.READY_FOR_QUERY -> ready(buf, index, length);
            case BackendType.COMMAND_COMPLETE -> completed(buf, index, length);
            case BackendType.BIND_COMPLETE -> finished(ReplyQueue.BIND, index, length);
            case BackendType.PARSE_COMPLETE -> finished(ReplyQueue.PARSE, index, length);
            case BackendType.CLOSE_COMPLETE -> finished(ReplyQueue.CLOSE, index, length);
            case BackendType.ROW_DESCRIPTION, BackendType.NO_DATA -> described(buf, index, length);
            case BackendType.EMPTY_QUERY_RESPONSE, BackendType.PORTAL_SUSPENDED -> {
                if ((replies.head() & ReplyQueue.KIND) == ReplyQueue.EXECUTE) {
                    ended(buf, index, length);
                    finished(ReplyQueue.EXECUTE, index, length);
                } else {
                    keepOrCut(index, length);
                }
            }
            case BackendType.ERROR_RESPONSE -> error(buf, index, length);
            case BackendType.PARAMETER_STATUS -> parameterStatus(buf, index, length);
            case BackendType.DATA_ROW -> ownRow(buf, index, length);
            case BackendType.COPY_IN_RESPONSE -> {
                replies.copyIn();
                keepOrCut(index, length);
                if (sink != null) {
                    forwardTo(index + length);
                    sink.copyIn();
                }
            }
            case BackendType.NOTIFICATION_RESPONSE -> {
                cut(index, length);
                if (sink != null) {
                    sink.notified(buf, index, length);
                }
            }
            case BackendType.NOTICE_RESPONSE -> keepOrCut(index, length);
            case BackendType.COPY_OUT_RESPONSE,
                    BackendType.COPY_BOTH_RESPONSE,
                    BackendType.COPY_DATA,
                    BackendType.COPY_DONE,
                    BackendType.FUNCTION_CALL_RESPONSE -> keepOrCut(index, length);
            case BackendType.PARAMETER_DESCRIPTION -> {
                if (keepOrCut(index, length)) {
                    parameters = buf.copy(index, length);
                    cut(index, length);
                }
            }
            default -> throw new ProtocolViolation("unexpected message type '" + (char) type + "' from the server");
        }
    }

    private void finished(int kind, int index, int length) {
        int head = replies.head();
        if ((head & ReplyQueue.KIND) != kind) {
            throw new ProtocolViolation("reply out of order: expected entry " + head + ", got the end of " + kind);
        }
        replies.remove();
        if ((head & ReplyQueue.SWALLOW) != 0) {
            cut(index, length);
        }
        settleAt(index + length);
    }

    /** Passes on, in front of the message at this index, that parameters were described; or drops it. */
    private void parametersDescribed(int index, boolean pass) {
        ByteBuf described = parameters;
        if (described != null) {
            parameters = null;
            forwardTo(index);
            if (pass && sink != null) {
                sink.forward(described, 0, described.readableBytes());
            }
            described.release();
        }
    }

    private void described(ByteBuf buf, int index, int length) {
        parametersDescribed(index, true);
        if (replies.note() instanceof DescriptionSink to) {
            to.described(buf, index, length);
        }
        if ((replies.head() & ReplyQueue.KIND) == ReplyQueue.DESCRIBE) {
            finished(ReplyQueue.DESCRIBE, index, length);
        } else {
            keepOrCut(index, length);
        }
    }

    private void completed(ByteBuf buf, int index, int length) {
        int head = replies.head();
        Object note = replies.note();
        boolean execute = (head & ReplyQueue.KIND) == ReplyQueue.EXECUTE;
        if ((head & ReplyQueue.SWALLOW) != 0 || sink == null) {
            if (execute) {
                replies.remove();
            }
            cut(index, length);
            settleAt(index + length);
            return;
        }
        if (note instanceof Substitute substitute && sink != null) {
            cut(index, length);
            sink.substituted(substitute);
        } else if (note instanceof QueryFacts facts && sink != null) {
            int at = execute ? 0 : statementIndex;
            if (at < facts.statements().size()) {
                sink.completed(facts.statements().get(at), CommandTag.read(buf, index, length));
            }
        }
        ended(buf, index, length);
        if (execute) {
            replies.remove();
            settleAt(index + length);
        } else {
            statementIndex++;
        }
    }

    private void ended(ByteBuf buf, int index, int length) {
        if (sink != null && (replies.head() & ReplyQueue.SWALLOW) == 0) {
            sink.ended(buf, index, length, index + length - runStart);
        }
    }

    private void error(ByteBuf buf, int index, int length) {
        int head = replies.head();
        if ((head & ReplyQueue.SWALLOW) != 0 && replies.note() instanceof OwnReply) {
            if (ownError == null) {
                ownError = ErrorFields.read(buf, index, length);
            }
            lastError = ownError;
            cut(index, length);
            skipToSync();
            return;
        }
        ErrorFields fields = ErrorFields.read(buf, index, length);
        if (sink == null) {
            lastError = fields;
            cut(index, length);
        } else if (sink.repeats(fields, replies.note())) {
            parametersDescribed(index, false);
            cut(index, length);
        } else {
            parametersDescribed(index, true);
            ErrorFields instead = sink.failed(fields, replies.note());
            if (instead != null) {
                cut(index, length);
                sink.say(instead);
            }
        }
        skipToSync();
    }

    private void skipToSync() {
        if (replies.isEmpty()) {
            return; // said without being asked: the end of the connection follows
        }
        replies.failed(this::dropped);
        look();
    }

    private void dropped(int entry, @Nullable Object note) {
        if (note instanceof OwnReply && (entry & ReplyQueue.KIND) == ReplyQueue.QUERY) {
            throw new ProtocolViolation("a query of our own was ignored after an error");
        }
        if (sink != null) {
            sink.dropped(entry, note);
        }
    }

    private void parameterStatus(ByteBuf buf, int index, int length) {
        int end = index + length;
        int name = index + FrameReader.HEADER;
        int value = CString.end(buf, name, end) + 1;
        String key = CString.read(buf, name, end);
        String text = CString.read(buf, value, end);
        if (asPrimary && key.equals(IN_HOT_STANDBY)) {
            cut(index, length);
            return;
        }
        reported = reported.with(key, text);
        if (keepOrCut(index, length) && sink != null && !sink.reported(key, text)) {
            cut(index, length);
        }
    }

    private void ownRow(ByteBuf buf, int index, int length) {
        if (replies.note() instanceof OwnReply own && (replies.head() & ReplyQueue.SWALLOW) != 0) {
            own.row(RowView.texts(buf, index, length));
        }
        cut(index, length);
    }

    private void ready(ByteBuf buf, int index, int length) {
        if (length != 6) {
            throw new ProtocolViolation("invalid length of ReadyForQuery");
        }
        int head = replies.head();
        if (head == 0 || (head & ReplyQueue.KIND) > ReplyQueue.FUNCTION) {
            throw new ProtocolViolation("ReadyForQuery out of order: expected entry " + head);
        }
        Object note = replies.note();
        replies.remove();
        status = buf.getByte(index + 5);
        statementIndex = 0;
        lastError = null; // it was not the last word
        if ((head & ReplyQueue.SWALLOW) != 0) {
            cut(index, length);
            settleAt(index + length);
            if (note instanceof OwnReply own) {
                ErrorFields failure = ownError;
                ownError = null;
                own.done(failure, status);
            }
            return;
        }
        if (sink != null && sink.withholds(status)) {
            cut(index, length);
        }
        settleAt(index + length);
        forwardTo(index + length);
        if (sink != null) {
            sink.ready(status);
        }
    }

    // ---- ranges

    /** True if the message goes to the client; else it is taken out. */
    private boolean keepOrCut(int index, int length) {
        if (sink == null || (replies.head() & ReplyQueue.SWALLOW) != 0) {
            cut(index, length);
            return false;
        }
        return true;
    }

    private void cut(int index, int length) {
        forwardTo(index);
        runStart = index + length;
    }

    private void forwardTo(int end) {
        if (end > runStart && current != null && sink != null) {
            sink.forward(current, runStart, end - runStart);
        }
        runStart = Math.max(runStart, end);
    }

    /** An entry has gone: answers of ours may be due behind this position, and the next reply may be ours. */
    private void settleAt(int position) {
        if ((replies.head() & ReplyQueue.ANSWER) != 0) {
            forwardTo(position);
            answers();
        }
        look();
    }

    private void answers() {
        while ((replies.head() & ReplyQueue.ANSWER) != 0) {
            int entry = replies.head();
            replies.remove();
            if (sink != null) {
                sink.answer(entry);
            }
        }
    }

    private void look() {
        reader.passive((replies.head() & ReplyQueue.SWALLOW) == 0 && sink != null ? PASSIVE : 0);
    }
}
