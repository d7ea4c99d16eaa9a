package dev.pgproxy.config;

import java.util.Map;

/**
 * Other instances behind the same address, to which cancel requests for their clients are passed. Immutable.
 *
 * @param peerId this instance among them, 1 to {@value #MAX_PEER_ID}; 0 = alone
 * @param peers the others' addresses by their ids
 */
public record PeerSettings(int peerId, Map<Integer, HostAddress> peers) {
    static final int MAX_PEER_ID = 16383;
    static final SettingGroup GROUP = new SettingGroup("Peers");
    static final Setting<Integer> PEER_ID = GROUP.fixed(
            "peer_id",
            SettingTypes.integer(0, MAX_PEER_ID),
            0,
            "This instance among several behind one address (see peers); 0 = it is alone.");

    public PeerSettings {
        peers = Map.copyOf(peers);
    }

    static PeerSettings from(SettingValues values, Map<Integer, HostAddress> peers) {
        return new PeerSettings(values.get(PEER_ID), peers);
    }
}
