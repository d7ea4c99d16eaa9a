package dev.pgproxy.listen;

import dev.pgproxy.config.HostAddress;
import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.sql.StatementFacts;
import dev.pgproxy.server.ReplySink;
import dev.pgproxy.server.Substitute;
import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/** Takes notifications from a listener's connection; all else it says is an answer to a question of our own. */
record ListenerFeed(SharedListener listener, HostAddress host) implements ReplySink {
    @Override
    public void notified(ByteBuf buf, int index, int length) {
        listener.heard(Notification.read(buf, index, length), host);
    }

    @Override
    public void forward(ByteBuf buf, int index, int length) {}

    @Override
    public void answer(int entry) {}

    @Override
    public void completed(StatementFacts statement, String tag) {}

    @Override
    public void substituted(Substitute substitute) {}

    @Override
    public void writable() {}

    @Override
    public @Nullable ErrorFields failed(ErrorFields error, @Nullable Object note) {
        listener.failing(error);
        return null;
    }

    @Override
    public void say(ErrorFields error) {}

    @Override
    public void dropped(int entry, @Nullable Object note) {}

    @Override
    public boolean reported(String name, String value) {
        return false;
    }

    @Override
    public void copyIn() {}

    @Override
    public void ready(byte status) {}

    @Override
    public void burstEnd() {}

    @Override
    public void lost(@Nullable ErrorFields error) {}
}
