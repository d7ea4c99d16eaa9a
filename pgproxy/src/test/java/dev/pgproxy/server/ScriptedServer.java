package dev.pgproxy.server;

import dev.pgproxy.config.HostAddress;
import dev.pgproxy.session.Reported;
import io.netty.channel.Channel;

/** A server connection on any channel, as after a login. Stateless. */
public final class ScriptedServer {
    private ScriptedServer() {}

    /** Puts the connection at the end of the channel's pipeline. */
    public static ServerConnection on(Channel channel) {
        ServerIdentity identity = new ServerIdentity(
                ServerIdentity.nextId(), new HostAddress("h", 1), "d", "u", 1, new byte[4], "", null);
        ServerConnection server = new ServerConnection(channel, identity, Reported.NONE);
        channel.pipeline().addLast("server", server.handler());
        return server;
    }
}
