package dev.pgproxy.auth;

import io.netty.util.NetUtil;
import java.net.InetAddress;
import org.jspecify.annotations.Nullable;

/**
 * A network of IPv4 or of IPv6 addresses: base and mask, 4 or 16 bytes each. As in PostgreSQL an IPv4 range holds no
 * IPv6 address and the other way round, and bits of the base outside the mask do not count. Immutable.
 */
final class AddressRange {
    private final byte[] base;
    private final byte[] mask;

    private AddressRange(byte[] base, byte[] mask) {
        this.base = base;
        this.mask = mask;
    }

    /** Whether the text is the literal of an address; no name is ever looked up. */
    static boolean isAddress(String text) {
        return NetUtil.createByteArrayFromIpAddressString(text) != null;
    }

    /** The range {@code address/bits}, or null where the text is none. */
    static @Nullable AddressRange ofCidr(String text) {
        int slash = text.indexOf('/');
        String digits = text.substring(slash + 1);
        byte[] base = slash < 0 ? null : NetUtil.createByteArrayFromIpAddressString(text.substring(0, slash));
        if (base == null || !digits.matches("[0-9]{1,3}") || Integer.parseInt(digits) > base.length * Byte.SIZE) {
            return null;
        }
        byte[] mask = new byte[base.length];
        for (int bit = 0; bit < Integer.parseInt(digits); bit++) {
            mask[bit / Byte.SIZE] |= (byte) (0x80 >> (bit % Byte.SIZE));
        }
        return new AddressRange(base, mask);
    }

    /** The range of an address and a mask, or null where they are not two of one family. */
    static @Nullable AddressRange ofMask(String address, String netmask) {
        byte[] base = NetUtil.createByteArrayFromIpAddressString(address);
        byte[] mask = NetUtil.createByteArrayFromIpAddressString(netmask);
        return base == null || mask == null || base.length != mask.length ? null : new AddressRange(base, mask);
    }

    boolean contains(InetAddress address) {
        byte[] bytes = address.getAddress();
        if (bytes.length != base.length) {
            return false;
        }
        for (int i = 0; i < bytes.length; i++) {
            if (((bytes[i] ^ base[i]) & mask[i]) != 0) {
                return false;
            }
        }
        return true;
    }
}
