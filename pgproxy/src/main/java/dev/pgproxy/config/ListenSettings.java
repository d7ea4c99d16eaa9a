package dev.pgproxy.config;

import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Where clients connect, and how TCP watches connections. Immutable.
 *
 * @param listenAddr names or addresses, {@code *} = all; empty = no TCP
 * @param listenPort 0 = a free port, chosen by the system
 * @param unixSocketDir where {@code .s.PGSQL.<port>} is made; null = no unix socket
 * @param unixSocketMode permissions of that socket
 * @param listenBacklog connections that the system keeps until they are accepted
 * @param proxyProtocolFrom peers that must begin with a PROXY v2 header; nobody else may
 * @param soReuseport whether several processes may listen on the port
 * @param handoverSocket where the process that follows this one asks for its listening sockets; null = nowhere
 * @param tcpKeepalive whether dead peers are searched for, of clients and servers
 * @param tcpKeepidle silence before the first probe; zero = as the system does
 * @param tcpKeepintvl between probes; zero = as the system does
 * @param tcpKeepcnt probes without an answer until the peer is dead; 0 = as the system does
 */
public record ListenSettings(
        List<String> listenAddr,
        int listenPort,
        @Nullable Path unixSocketDir,
        Set<PosixFilePermission> unixSocketMode,
        int listenBacklog,
        List<Cidr> proxyProtocolFrom,
        boolean soReuseport,
        @Nullable Path handoverSocket,
        boolean tcpKeepalive,
        Duration tcpKeepidle,
        Duration tcpKeepintvl,
        int tcpKeepcnt) {
    static final SettingGroup GROUP = new SettingGroup("Listening");
    static final Setting<List<String>> LISTEN_ADDR = GROUP.fixed(
            "listen_addr",
            SettingTypes.list(SettingTypes.text()),
            List.of("127.0.0.1"),
            "Addresses or names to listen on; \"*\" = all, [] = no TCP.");
    static final Setting<Integer> LISTEN_PORT = GROUP.fixed(
            "listen_port", SettingTypes.integer(0, 65535), 6432, "TCP port; 0 = a free one, chosen by the system.");
    static final Setting<Path> UNIX_SOCKET_DIR = GROUP.fixed(
            "unix_socket_dir",
            SettingTypes.path(),
            null,
            "Directory for the unix socket .s.PGSQL.PORT; empty = none. Linux only.");
    static final Setting<Set<PosixFilePermission>> UNIX_SOCKET_MODE = GROUP.fixed(
            "unix_socket_mode",
            SettingTypes.fileMode(),
            SettingTypes.fileMode().parse("0777", Path.of("")),
            "Permissions of the unix socket, in octal.");
    static final Setting<Integer> LISTEN_BACKLOG = GROUP.fixed(
            "listen_backlog",
            SettingTypes.integer(1, 65535),
            1024,
            "Connections that wait in the system until they are accepted.");
    static final Setting<List<Cidr>> PROXY_PROTOCOL_FROM = GROUP.live(
            "proxy_protocol_from",
            SettingTypes.list(SettingTypes.cidr()),
            List.of(),
            "Load balancers, as address ranges, that must send a PROXY v2 header; nobody else may.");
    static final Setting<Boolean> SO_REUSEPORT = GROUP.fixed(
            "so_reuseport",
            SettingTypes.flag(),
            false,
            "Let several pgproxy processes listen on the same port; give each a peer_id.");
    static final Setting<Path> HANDOVER_SOCKET = GROUP.fixed(
            "handover_socket",
            SettingTypes.path(),
            null,
            "Unix socket at which a new process takes over from the one that runs; empty = none. Linux only.");
    static final Setting<Boolean> TCP_KEEPALIVE =
            GROUP.live("tcp_keepalive", SettingTypes.flag(), true, "Probe silent peers, clients and servers alike.");
    static final Setting<Duration> TCP_KEEPIDLE = GROUP.live(
            "tcp_keepidle", SettingTypes.timeout(), Duration.ZERO, "Silence before the first probe; 0 = the system's.");
    static final Setting<Duration> TCP_KEEPINTVL = GROUP.live(
            "tcp_keepintvl", SettingTypes.timeout(), Duration.ZERO, "Time between probes; 0 = the system's.");
    static final Setting<Integer> TCP_KEEPCNT = GROUP.live(
            "tcp_keepcnt",
            SettingTypes.integer(0, 127),
            0,
            "Unanswered probes until a connection is given up; 0 = the system's.");

    static ListenSettings from(SettingValues values) {
        return new ListenSettings(
                values.get(LISTEN_ADDR),
                values.get(LISTEN_PORT),
                values.find(UNIX_SOCKET_DIR),
                values.get(UNIX_SOCKET_MODE),
                values.get(LISTEN_BACKLOG),
                values.get(PROXY_PROTOCOL_FROM),
                values.get(SO_REUSEPORT),
                values.find(HANDOVER_SOCKET),
                values.get(TCP_KEEPALIVE),
                values.get(TCP_KEEPIDLE),
                values.get(TCP_KEEPINTVL),
                values.get(TCP_KEEPCNT));
    }
}
