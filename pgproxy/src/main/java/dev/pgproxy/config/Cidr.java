package dev.pgproxy.config;

import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.net.UnknownHostException;

/**
 * A range of addresses, {@code 10.0.0.0/8} or {@code ::1/128}; without a prefix length one address. Immutable.
 *
 * @param network any address of the range
 * @param prefix how many leading bits an address must share with it
 */
public record Cidr(InetAddress network, int prefix) {
    public Cidr {
        int bits = network.getAddress().length * 8;
        if (prefix < 0 || prefix > bits) {
            throw new IllegalArgumentException("a prefix length is between 0 and " + bits + ", not " + prefix);
        }
    }

    /** Whether the address lies in the range; IPv4 and IPv6 never match each other. */
    public boolean contains(InetAddress address) {
        byte[] ours = network.getAddress();
        byte[] theirs = address.getAddress();
        if (ours.length != theirs.length) {
            return false;
        }
        for (int bit = 0; bit < prefix; bit += 8) {
            int mask = 0xff << Math.max(0, 8 - (prefix - bit));
            if (((ours[bit / 8] ^ theirs[bit / 8]) & mask & 0xff) != 0) {
                return false;
            }
        }
        return true;
    }

    /** Reads the text form, never asking DNS. Throws IllegalArgumentException saying what is wrong. */
    public static Cidr parse(String text) {
        int slash = text.indexOf('/');
        byte[] address = NetUtil.createByteArrayFromIpAddressString(slash < 0 ? text : text.substring(0, slash));
        if (address == null) {
            throw new IllegalArgumentException("'" + text + "' is not an address range such as 10.0.0.0/8");
        }
        try {
            int prefix = slash < 0 ? address.length * 8 : Integer.parseInt(text.substring(slash + 1));
            return new Cidr(InetAddress.getByAddress(address), prefix);
        } catch (NumberFormatException | UnknownHostException e) {
            throw new IllegalArgumentException("'" + text + "' is not an address range such as 10.0.0.0/8", e);
        }
    }

    @Override
    public String toString() {
        return network.getHostAddress() + "/" + prefix;
    }
}
