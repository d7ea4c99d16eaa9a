package dev.pgproxy.server;

import dev.pgproxy.config.HostAddress;
import dev.pgproxy.session.Reported;
import io.netty.channel.Channel;

/** A server connection on any channel, as after a login, for benchmarks. Stateless. */
public final class ScriptedServer {
    private ScriptedServer() {}

    /** Puts the connection at the end of the channel's pipeline. */
    public static ServerConnection on(Channel channel, HostAddress host, Reported reported) {
        ServerIdentity identity =
                new ServerIdentity(ServerIdentity.nextId(), host, "bench", "bench", 1, new byte[4], "", null);
        ServerConnection server = new ServerConnection(channel, identity, reported);
        channel.pipeline().addLast("server", server.handler());
        return server;
    }
}
